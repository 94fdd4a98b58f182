// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "storage/values/path_order.hpp"
#include "storage/values/tree.hpp"
#include "storage/values/tree_text.hpp"

namespace trainyard {

namespace {

// No content is known that has it, so it says that no digest was given yet.
constexpr std::array<std::uint8_t, Digest::kBytes> kNoDigest{};

bool is_folder_of(std::string_view folder, std::string_view path) {
  if (folder.empty() || path == folder) return true;
  return path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder);
}

}  // namespace

void TreeBuilder::reserve(std::size_t name_bytes) { tree_.names_.reserve(name_bytes); }

std::uint32_t TreeBuilder::folder(std::string_view path) {
  tree_.folders_.emplace_back(path);
  return static_cast<std::uint32_t>(tree_.folders_.size() - 1);
}

std::uint32_t TreeBuilder::open_folder(std::string_view path) {
  while (!open_.empty() && !is_folder_of(tree_.folders_[open_.back()], path)) open_.pop_back();
  if (open_.empty() || tree_.folders_[open_.back()] != path) open_.push_back(folder(path));
  return open_.back();
}

std::size_t TreeBuilder::add(std::uint32_t folder, std::string_view name, Tree::Packed packed) {
  packed.name_begin = tree_.names_.size() & ((std::uint64_t{1} << 40U) - 1);
  packed.name_bytes = name.size() & 0xFFFFU;
  packed.folder = folder;
  tree_.names_ += name;
  tree_.packed_.push_back(packed);
  return tree_.size() - 1;
}

std::size_t TreeBuilder::add_file(std::uint32_t folder, std::string_view name, std::uint64_t size, bool executable) {
  return add(folder, name, {Digest(kNoDigest), size, 0, 0, 0, executable ? 1U : 0U, 0});
}

std::size_t TreeBuilder::add_empty_folder(std::uint32_t folder, std::string_view name) {
  return add(folder, name, {Digest(kNoDigest), 0, 0, 0, 1, 0, 0});
}

// A file is also a folder when its path and a '/' begin a later one. All paths that begin with the bytes of one entry
// follow it without a gap, so `begun` keeps how long those entries' paths are; what was shared with the entry before
// was looked at with that.
Result<void> TreeBuilder::check() const {
  std::vector<std::size_t> begun;
  const auto text = [this](std::size_t index) { return tree_.entry(index).path.text(); };
  for (std::size_t i = 0; i < size(); ++i) {
    const Tree::View entry = view(i);
    if (entry.digest != nullptr && entry.digest->bytes() == kNoDigest)
      return fail(Errc::invalid, "a tree has the file '" + text(i) + "' without a digest");
    if (entry.size > kMostFileBytes)
      return fail(Errc::invalid,
                  "a tree has the file '" + text(i) + "' with more than " + std::to_string(kMostFileBytes) + " bytes");
    if (i != 0) {
      const auto [shared, order] = path_order(view(i - 1), entry);
      if (order == 0) return fail(Errc::invalid, "a tree names '" + text(i) + "' twice");
      if (order > 0) {
        return fail(Errc::invalid, "a tree is not sorted by path: '" + text(i) + "' comes after '" + text(i - 1) + "'");
      }
      while (!begun.empty() && begun.back() > shared) begun.pop_back();
      if (!begun.empty() && begun.back() == shared && path_byte(entry, shared) == '/') {
        const std::string path = tree_.entry(i).path.bytes().substr(0, shared);
        return fail(Errc::invalid,
                    "a tree has both '" + RelPath::parse(path).value().text() + "' and something inside it");
      }
    }
    begun.push_back(path_bytes(entry));
  }
  return {};
}

Result<Tree> TreeBuilder::finish() && {
  TRY(check());
  return std::move(tree_);
}

}  // namespace trainyard
