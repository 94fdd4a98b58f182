// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

// Merkle tree hashes as RFC 6962, section 2.1, has them, over SHA-256: one digest for a list of leaves, short proofs that
// a leaf is in the list and that a list grew from another only at its end. What is in a leaf is the caller's business.
// Verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2, which leave the trees as they are.
//
//   leaf hash = SHA-256(0x00 leaf)        node = SHA-256(0x01 left right)        the tree of no leaves = SHA-256()
namespace trainyard {

Digest merkle_leaf(std::string_view leaf);
Digest merkle_node(const Digest& left, const Digest& right);

// What somebody has to know of a tree to verify proofs.
struct MerkleHead {
  std::uint64_t size = 0;  // leaves
  Digest root;

  friend bool operator==(const MerkleHead&, const MerkleHead&) = default;
};

// All hashes of a tree of leaf hashes, so that roots and proofs cost their length. Twice the memory of the leaves. A size
// is that of the tree of the first leaves alone.
class MerkleTree {
 public:
  explicit MerkleTree(std::vector<Digest> leaf_hashes);

  [[nodiscard]] std::uint64_t size() const { return levels_.front().size(); }
  [[nodiscard]] MerkleHead head() const { return {size(), root(size())}; }
  // REQUIRES: size <= this->size()
  [[nodiscard]] Digest root(std::uint64_t size) const;
  // The audit path of a leaf, from the leaf up. REQUIRES: index < size <= this->size()
  [[nodiscard]] std::vector<Digest> inclusion(std::uint64_t index, std::uint64_t size) const;
  // That the tree of `after` leaves begins with that of `before`. REQUIRES: before <= after <= this->size()
  [[nodiscard]] std::vector<Digest> consistency(std::uint64_t before, std::uint64_t after) const;

 private:
  [[nodiscard]] Digest range(std::uint64_t begin, std::uint64_t end) const;

  std::vector<std::vector<Digest>> levels_;  // of each height, its complete subtrees from the left
};

// The root that a tree of `size` leaves has when the leaf stands at `index` in it; none when the path has another length
// than such a tree gives, or the index is not in it.
std::optional<Digest> root_of_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> path);
[[nodiscard]] bool is_included(const Digest& leaf_hash, std::uint64_t index, std::span<const Digest> path,
                               const MerkleHead& head);
// Every tree grew from the one without leaves, and from itself; the paths of these are empty.
[[nodiscard]] bool is_consistent(const MerkleHead& before, const MerkleHead& after, std::span<const Digest> path);

// As much of a tree as adding to it takes: the roots of its complete subtrees, one for each bit of its size, the
// greatest first.
class MerkleFrontier {
 public:
  MerkleFrontier() = default;
  // What `size` and `peaks` of a frontier were. Refuses another number of peaks than such a size has.
  static Result<MerkleFrontier> of(std::uint64_t size, std::vector<Digest> peaks);

  void append(const Digest& leaf_hash);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<Digest>& peaks() const { return peaks_; }
  [[nodiscard]] MerkleHead head() const;

  friend bool operator==(const MerkleFrontier&, const MerkleFrontier&) = default;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;
};

}  // namespace trainyard
