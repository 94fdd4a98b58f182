// SPDX-License-Identifier: Apache-2.0
#include "storage/values/merkle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Where the tree of so many leaves is cut: the greatest power of two below it. REQUIRES: leaves > 1
std::uint64_t cut(std::uint64_t leaves) { return std::bit_floor(leaves - 1); }

}  // namespace

Digest merkle_leaf(std::string_view leaf) {
  std::string bytes(1, '\0');
  bytes += leaf;
  return sha256(bytes);
}

Digest merkle_node(const Digest& left, const Digest& right) {
  std::array<char, 1 + 2 * Digest::kBytes> bytes{'\x01'};
  const auto end = std::copy(left.bytes().begin(), left.bytes().end(), bytes.begin() + 1);
  std::copy(right.bytes().begin(), right.bytes().end(), end);
  return sha256({bytes.data(), bytes.size()});
}

MerkleTree::MerkleTree(std::vector<Digest> leaf_hashes) {
  levels_.push_back(std::move(leaf_hashes));
  while (levels_.back().size() > 1) {
    const std::vector<Digest>& below = levels_.back();
    std::vector<Digest> level;
    level.reserve(below.size() / 2);
    for (std::size_t i = 1; i < below.size(); i += 2) level.push_back(merkle_node(below[i - 1], below[i]));
    levels_.push_back(std::move(level));
  }
}

// The cuts of RFC 6962 put every range at a multiple of the power of two that holds it, so that a complete one has its
// hash in the levels.
Digest MerkleTree::range(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t leaves = end - begin;
  if (leaves == 0) return sha256("");
  if (std::has_single_bit(leaves)) {
    const auto height = static_cast<std::size_t>(std::countr_zero(leaves));
    return levels_[height][begin >> height];
  }
  const std::uint64_t middle = begin + cut(leaves);
  return merkle_node(range(begin, middle), range(middle, end));
}

Digest MerkleTree::root(std::uint64_t size) const { return range(0, size); }

std::vector<Digest> MerkleTree::inclusion(std::uint64_t index, std::uint64_t size) const {
  std::vector<Digest> path;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + cut(end - begin);
    const bool left = index < middle;
    path.push_back(left ? range(middle, end) : range(begin, middle));
    (left ? end : begin) = middle;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<Digest> MerkleTree::consistency(std::uint64_t before, std::uint64_t after) const {
  std::vector<Digest> path;
  if (before == 0) return path;
  std::uint64_t begin = 0;
  std::uint64_t end = after;
  while (before != end) {
    const std::uint64_t middle = begin + cut(end - begin);
    const bool left = before <= middle;
    path.push_back(left ? range(middle, end) : range(begin, middle));
    (left ? end : begin) = middle;
  }
  // The old root itself needs no proof.
  if (begin != 0) path.push_back(range(begin, end));
  std::reverse(path.begin(), path.end());
  return path;
}

std::optional<Digest> root_of_inclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> path) {
  if (index >= size) return std::nullopt;
  std::uint64_t last = size - 1;
  Digest root = leaf_hash;
  for (const Digest& sibling : path) {
    if (last == 0) return std::nullopt;
    if ((index & 1U) != 0 || index == last) {
      root = merkle_node(sibling, root);
      // At the right edge, levels where the node has no sibling are passed over.
      while ((index & 1U) == 0 && index != 0) {
        index >>= 1U;
        last >>= 1U;
      }
    } else {
      root = merkle_node(root, sibling);
    }
    index >>= 1U;
    last >>= 1U;
  }
  if (last != 0) return std::nullopt;
  return root;
}

bool is_included(const Digest& leaf_hash, std::uint64_t index, std::span<const Digest> path, const MerkleHead& head) {
  return root_of_inclusion(leaf_hash, index, head.size, path) == head.root;
}

bool is_consistent(const MerkleHead& before, const MerkleHead& after, std::span<const Digest> path) {
  if (before.size > after.size) return false;
  if (before.size == after.size) return path.empty() && before.root == after.root;
  if (before.size == 0) return path.empty() && before.root == sha256("");
  std::uint64_t node = before.size - 1;
  std::uint64_t last = after.size - 1;
  while ((node & 1U) != 0) {
    node >>= 1U;
    last >>= 1U;
  }
  auto next = path.begin();
  // A complete old tree is a node of the new one, and not repeated in the path.
  const bool complete = std::has_single_bit(before.size);
  if (!complete && next == path.end()) return false;
  Digest old_root = complete ? before.root : *next++;
  Digest new_root = old_root;
  for (; next != path.end(); ++next) {
    if (last == 0) return false;
    if ((node & 1U) != 0 || node == last) {
      old_root = merkle_node(*next, old_root);
      new_root = merkle_node(*next, new_root);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      new_root = merkle_node(new_root, *next);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_root == before.root && new_root == after.root;
}

Result<MerkleFrontier> MerkleFrontier::of(std::uint64_t size, std::vector<Digest> peaks) {
  const auto wanted = static_cast<std::size_t>(std::popcount(size));
  if (peaks.size() != wanted) {
    return fail(Errc::invalid, "a Merkle tree of " + std::to_string(size) + " leaves has " + std::to_string(wanted) +
                                   " peaks, not " + std::to_string(peaks.size()));
  }
  MerkleFrontier frontier;
  frontier.size_ = size;
  frontier.peaks_ = std::move(peaks);
  return frontier;
}

void MerkleFrontier::append(const Digest& leaf_hash) {
  Digest peak = leaf_hash;
  for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    peak = merkle_node(peaks_.back(), peak);
    peaks_.pop_back();
  }
  peaks_.push_back(peak);
  ++size_;
}

MerkleHead MerkleFrontier::head() const {
  if (peaks_.empty()) return {0, sha256("")};
  Digest root = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) root = merkle_node(*peak, root);
  return {size_, root};
}

}  // namespace trainyard
