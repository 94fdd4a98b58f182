// SPDX-License-Identifier: Apache-2.0
#include "storage/values/tree.hpp"

#include <algorithm>
#include <numeric>

#include "storage/values/json.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSchema = "trainyard.tree/1";

bool by_path(const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; }

Result<TreeEntry> entry_from(const Json& json) {
  Fields fields(json, "a tree entry");
  const auto path = fields.parsed("path", RelPath::from_text);
  const std::string kind = fields.text("kind");
  const std::uint64_t size = fields.count("size");
  const bool executable = fields.boolean("executable");
  const auto digest = fields.parsed_or_null("digest", Digest::parse);
  const bool file = kind == "file";
  if (!file && kind != "folder") fields.note("kind", "is neither 'file' nor 'folder'");
  if (file != digest.has_value()) fields.note("digest", file ? "is missing on a file" : "stands on a folder");
  if (!file && (size != 0 || executable)) fields.note("size", "a folder has neither a size nor an executable bit");
  TRY(fields.finish());
  return TreeEntry{*path, file ? TreeEntry::Kind::file : TreeEntry::Kind::empty_folder, size, executable, digest};
}

}  // namespace

Result<Tree> Tree::of(std::vector<TreeEntry> entries) {
  if (!std::is_sorted(entries.begin(), entries.end(), by_path)) std::sort(entries.begin(), entries.end(), by_path);
  Tree tree;
  tree.entries_ = std::move(entries);
  for (std::size_t i = 1; i < tree.entries_.size(); ++i) {
    if (tree.entries_[i - 1].path == tree.entries_[i].path) {
      return fail(Errc::invalid, "a tree names '" + tree.entries_[i].path.text() + "' twice");
    }
  }
  for (const TreeEntry& entry : tree.entries_) {
    const std::string& path = entry.path.bytes();
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto folder = RelPath::parse(std::string_view(path).substr(0, slash));
      if (folder.ok() && tree.find(*folder) != nullptr) {
        return fail(Errc::invalid, "a tree has both '" + folder->text() + "' and something inside it");
      }
    }
  }
  return tree;
}

Result<Tree> Tree::from_canonical(std::string_view bytes) {
  const Json json = TRY(parse_json(bytes, "the tree"));
  Fields fields(json, "the tree");
  fields.schema(kSchema);
  const Json& list = fields.array("entries");
  TRY(fields.finish());
  std::vector<TreeEntry> entries;
  entries.reserve(list.size());
  for (const Json& item : list) entries.push_back(TRY(entry_from(item)));
  if (!std::is_sorted(entries.begin(), entries.end(), by_path))
    return fail(Errc::invalid, "the tree is not sorted by path");
  return of(std::move(entries));
}

const TreeEntry* Tree::find(const RelPath& path) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), path,
                       [](const TreeEntry& entry, const RelPath& wanted) { return entry.path < wanted; });
  return found != entries_.end() && found->path == path ? &*found : nullptr;
}

std::uint64_t Tree::files() const {
  return static_cast<std::uint64_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const TreeEntry& entry) { return entry.kind == TreeEntry::Kind::file; }));
}

std::uint64_t Tree::bytes() const {
  return std::accumulate(entries_.begin(), entries_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const TreeEntry& entry) { return sum + entry.size; });
}

// Written by hand: a document of a million entries would cost ten times the memory of the entries themselves.
std::string Tree::canonical() const {
  std::string text = R"({"entries":[)";
  text.reserve(64 + entries_.size() * 192);
  bool first = true;
  for (const TreeEntry& entry : entries_) {
    if (!first) text += ',';
    first = false;
    text += R"({"digest":)";
    text += entry.digest ? '"' + entry.digest->hex() + '"' : "null";
    text += entry.executable ? R"(,"executable":true)" : R"(,"executable":false)";
    text += entry.kind == TreeEntry::Kind::file ? R"(,"kind":"file","path":)" : R"(,"kind":"folder","path":)";
    text += trainyard::canonical(Json(entry.path.text()));
    text += R"(,"size":)" + std::to_string(entry.size) + "}";
  }
  text += R"(],"schema":")";
  text += kSchema;
  text += "\"}";
  return text;
}

}  // namespace trainyard
