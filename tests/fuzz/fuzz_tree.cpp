// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256.hpp"
#include "storage/values/tree.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

namespace {

Result<Tree> read_in_pieces(std::string_view text, std::size_t piece) {
  TreeReader reader;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto fed = reader.feed(text.substr(at, piece));
    if (!fed.ok()) return fed.error();
  }
  return std::move(reader).finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto tree = Tree::from_canonical(text);
  const auto in_pieces = read_in_pieces(text, size == 0 ? 1 : 1 + data[size / 2] % 61U);
  fuzz::require(tree.ok() == in_pieces.ok(), "a tree that comes in pieces is the same tree");
  if (!tree.ok()) {
    fuzz::require_sentence(tree.error());
    return 0;
  }
  fuzz::require(*in_pieces == *tree, "a tree that comes in pieces is the same tree");
  fuzz::require(tree->canonical() == text, "nothing but the canonical form is a tree");
  fuzz::require(tree->digest() == sha256(text), "a tree's digest is that of its bytes");
  const Tree::Entries entries = tree->entries();
  const auto made = Tree::of({entries.begin(), entries.end()});
  fuzz::require(made.ok() && *made == *tree, "a tree is what its entries make");
  for (const TreeEntry& entry : entries)
    fuzz::require(tree->find(entry.path) == entry, "each entry is found by its path");
  return 0;
}
