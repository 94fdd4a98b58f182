// SPDX-License-Identifier: Apache-2.0
#include "storage/values/tree.hpp"

#include <algorithm>

#include "storage/values/path_order.hpp"

namespace trainyard {

Result<Tree> Tree::of(std::vector<TreeEntry> entries) {
  const auto by_path = [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_path)) std::sort(entries.begin(), entries.end(), by_path);
  std::size_t name_bytes = 0;
  for (const TreeEntry& entry : entries) name_bytes += entry.path.name().size();
  TreeBuilder builder;
  builder.reserve(name_bytes);
  for (const TreeEntry& entry : entries) {
    const bool file = entry.kind == TreeEntry::Kind::file;
    if (file != entry.digest.has_value()) {
      return fail(Errc::invalid, "a tree has the " + std::string(file ? "file '" : "folder '") + entry.path.text() +
                                     (file ? "' without a digest" : "' with a digest"));
    }
    if (!file && (entry.size != 0 || entry.executable)) {
      return fail(Errc::invalid, "a tree has the folder '" + entry.path.text() + "' with a size or an executable bit");
    }
    const std::string_view name = entry.path.name();
    const std::string& path = entry.path.bytes();
    const auto folder = builder.open_folder(
        std::string_view(path).substr(0, name.size() == path.size() ? 0 : path.size() - name.size() - 1));
    if (file) {
      builder.set_digest(builder.add_file(folder, name, entry.size, entry.executable), *entry.digest);
    } else {
      builder.add_empty_folder(folder, name);
    }
  }
  return std::move(builder).finish();
}

Result<Tree> Tree::from_canonical(std::string_view bytes) {
  TreeReader reader;
  TRY(reader.feed(bytes));
  return std::move(reader).finish();
}

Tree::View Tree::view(std::size_t index) const {
  const Packed& packed = packed_[index];
  const bool folder = packed.empty_folder != 0;
  return {folders_[packed.folder],
          std::string_view(names_).substr(packed.name_begin, packed.name_bytes),
          folder ? TreeEntry::Kind::empty_folder : TreeEntry::Kind::file,
          packed.executable != 0,
          packed.size,
          folder ? nullptr : &packed.digest};
}

TreeEntry Tree::entry(std::size_t index) const {
  const View view = this->view(index);
  std::string path;
  path.reserve(path_bytes(view));
  if (!view.folder.empty()) path.append(view.folder).append(1, '/');
  path += view.name;
  return {RelPath(std::move(path)), view.kind, view.size, view.executable,
          view.digest == nullptr ? std::nullopt : std::optional(*view.digest)};
}

Tree::Entries Tree::entries() const { return Entries(*this); }

std::optional<std::size_t> Tree::index_of(const RelPath& path) const {
  std::size_t begin = 0;
  std::size_t end = size();
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    const int order = compare_path(view(middle), path.bytes());
    if (order == 0) return middle;
    if (order < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::nullopt;
}

std::optional<TreeEntry> Tree::find(const RelPath& path) const {
  const auto index = index_of(path);
  return index ? std::optional(entry(*index)) : std::nullopt;
}

std::uint64_t Tree::files() const {
  return static_cast<std::uint64_t>(
      std::count_if(packed_.begin(), packed_.end(), [](const Packed& packed) { return packed.empty_folder == 0; }));
}

std::uint64_t Tree::bytes() const {
  std::uint64_t sum = 0;
  for (const Packed& packed : packed_) sum += packed.size;
  return sum;
}

bool operator==(const Tree& a, const Tree& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_content(a.view(i), b.view(i)) || path_order(a.view(i), b.view(i)).order != 0) return false;
  }
  return true;
}

}  // namespace trainyard
