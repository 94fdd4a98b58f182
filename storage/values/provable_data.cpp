// SPDX-License-Identifier: Apache-2.0
// The maker of proofs.
#include <algorithm>

#include "storage/values/data_proof.hpp"
#include "storage/values/path_order.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/tree_text.hpp"

namespace trainyard {

namespace {

// The canonical JSON of a leaf, written by hand: there is one for each of a million files.
void write_leaf(const Tree::View& file, std::string& text) {
  text = file.executable ? R"({"executable":true,"path":")" : R"({"executable":false,"path":")";
  if (!file.folder.empty()) {
    append_path_text(file.folder, text);
    text += '/';
  }
  append_path_text(file.name, text);
  text += R"(","sha256":")";
  text += file.digest->hex();
  text += R"(","size":)";
  text += std::to_string(file.size);
  text += '}';
}

std::vector<std::size_t> files_of(const Tree& tree) {
  std::vector<std::size_t> files;
  files.reserve(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree.view(i).digest != nullptr) files.push_back(i);
  }
  return files;
}

std::vector<Digest> leaves_of(const Tree& tree, const std::vector<std::size_t>& files) {
  std::vector<Digest> leaves;
  leaves.reserve(files.size());
  std::string text;
  for (const std::size_t file : files) {
    write_leaf(tree.view(file), text);
    leaves.push_back(merkle_leaf(text));
  }
  return leaves;
}

}  // namespace

ProvableData::ProvableData(const Tree& tree)
    : tree_(tree),
      by_path_{files_of(tree), MerkleTree({})},
      by_digest_{{}, MerkleTree({})},
      head_{0, sha256(""), sha256(""), sha256("")} {
  std::vector<Digest> leaves = leaves_of(tree, by_path_.entries);
  struct Sorted {
    Digest digest;
    std::size_t file;  // in the order of paths
  };
  std::vector<Sorted> sorted;
  sorted.reserve(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) sorted.push_back({*tree.view(by_path_.entries[i]).digest, i});
  std::sort(sorted.begin(), sorted.end(), [](const Sorted& a, const Sorted& b) {
    const auto order = a.digest <=> b.digest;
    return order != 0 ? order < 0 : a.file < b.file;
  });
  std::vector<Digest> leaves_by_digest;
  leaves_by_digest.reserve(leaves.size());
  by_digest_.entries.reserve(leaves.size());
  for (const Sorted& file : sorted) {
    leaves_by_digest.push_back(leaves[file.file]);
    by_digest_.entries.push_back(by_path_.entries[file.file]);
  }
  by_path_.tree = MerkleTree(std::move(leaves));
  by_digest_.tree = MerkleTree(std::move(leaves_by_digest));
  head_ = {by_path_.tree.size(), by_path_.tree.head().root, by_digest_.tree.head().root, tree.digest()};
}

ProofWitness ProvableData::witness(const Order& order, std::size_t index) const {
  TreeEntry entry = tree_.entry(order.entries[index]);
  return {std::move(entry.path), entry.size, entry.executable,
          *entry.digest,         index,      order.tree.inclusion(index, order.tree.size())};
}

template <class Before, class Same>
DataProof ProvableData::prove(std::variant<RelPath, Digest> subject, const Order& order, Before before,
                              Same same) const {
  const auto& entries = order.entries;
  const auto found = std::partition_point(entries.begin(), entries.end(),
                                          [&](std::size_t entry) { return before(tree_.view(entry)); });
  const auto index = static_cast<std::size_t>(found - entries.begin());
  if (found != entries.end() && same(tree_.view(*found)))
    return {head_, std::move(subject), DataProof::Answer::included, {witness(order, index)}};
  DataProof proof{head_, std::move(subject), DataProof::Answer::absent, {}};
  if (index > 0) proof.witnesses.push_back(witness(order, index - 1));
  if (index < entries.size()) proof.witnesses.push_back(witness(order, index));
  return proof;
}

DataProof ProvableData::about(const RelPath& path) const {
  return prove(
      path, by_path_, [&](const Tree::View& file) { return compare_path(file, path.bytes()) < 0; },
      [&](const Tree::View& file) { return compare_path(file, path.bytes()) == 0; });
}

DataProof ProvableData::about(const Digest& digest) const {
  return prove(
      digest, by_digest_, [&](const Tree::View& file) { return *file.digest < digest; },
      [&](const Tree::View& file) { return *file.digest == digest; });
}

}  // namespace trainyard
