// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/stored_tree.hpp"

#include <optional>
#include <string>
#include <vector>

#include "storage/values/limits.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

// Comparing with more names than these takes longer than anybody waits for advice.
constexpr std::size_t kManyNames = 20'000;

std::string advice(const Tree& tree, const RelPath& path) {
  if (tree.size() > kManyNames) return {};
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < tree.size(); ++i) paths.push_back(tree.entry(i).path.text());
  return did_you_mean(path.text(), paths);
}

bool is_folder_in(const Tree& tree, const RelPath& path) {
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const std::string_view folder = tree.view(i).folder;
    if (folder.starts_with(path.bytes()) &&
        (folder.size() == path.bytes().size() || folder[path.bytes().size()] == '/'))
      return true;
  }
  return false;
}

}  // namespace

Result<TreeSummary> store_tree(const Tree& tree, ObjectStore& objects) {
  const auto writer = objects.writer(Cut::fine);
  Result<void> written;
  tree.write_canonical([&](std::string_view piece) {
    if (written.ok()) written = writer->write(piece);
  });
  TRY(written);
  return TreeSummary{TRY(writer->finish()).digest, tree.files(), tree.bytes()};
}

Result<Tree> load_tree(const Digest& digest, ObjectStore& objects) {
  const auto no_tree = [&](const std::string& why) {
    return fail(Errc::corrupt, "the object " + digest.hex() + " is not a tree: " + why);
  };
  TreeReader reader;
  std::uint64_t size = 0;
  TRY(objects.stream(digest, [&](std::string_view piece) -> Result<void> {
    size += piece.size();
    if (size > limits::kTreeBytes) return no_tree("it has more than " + std::to_string(limits::kTreeBytes) + " bytes");
    if (const auto fed = reader.feed(piece); !fed.ok()) return no_tree(fed.error().message);
    return {};
  }));
  auto tree = std::move(reader).finish();
  if (!tree.ok()) return no_tree(tree.error().message);
  return tree;
}

Result<std::uint64_t> stream_file(const Tree& tree, const RelPath& path, ObjectStore& objects, const ByteSink& sink) {
  const auto index = tree.index_of(path);
  if (!index) {
    if (is_folder_in(tree, path)) return fail(Errc::invalid, "'" + path.text() + "' is a folder; name a file in it");
    return fail(Errc::not_found, "the tree has no file '" + path.text() + "'" + advice(tree, path));
  }
  const Tree::View entry = tree.view(*index);
  if (entry.digest == nullptr) return fail(Errc::invalid, "'" + path.text() + "' is an empty folder");
  return objects.stream(*entry.digest, sink);
}

}  // namespace trainyard
