// SPDX-License-Identifier: Apache-2.0
#include "storage/values/merkle.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <sstream>
#include <string>

#include "runner/processes/run_program.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard::merkle_test {

namespace {

// The leaves and roots that Certificate Transparency's implementations test themselves with
// (google/certificate-transparency, merkle_tree_test.cc).
const std::vector<std::string> kPublishedLeaves = {"",
                                                   std::string(1, '\x00'),
                                                   "\x10",
                                                   "\x20\x21",
                                                   "\x30\x31",
                                                   "\x40\x41\x42\x43",
                                                   "\x50\x51\x52\x53\x54\x55\x56\x57",
                                                   "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
const std::vector<std::string> kPublishedRoots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                                  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                                  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                                  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                                  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                                  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                                  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Digest> hashes_of(const std::vector<std::string>& leaves) {
  std::vector<Digest> hashes;
  for (const std::string& leaf : leaves) hashes.push_back(merkle_leaf(leaf));
  return hashes;
}

MerkleTree numbered_tree(std::size_t size) {
  std::vector<std::string> leaves;
  for (std::size_t i = 0; i < size; ++i) leaves.push_back("leaf " + std::to_string(i));
  return MerkleTree(hashes_of(leaves));
}

std::string text_of(const std::vector<Digest>& path) {
  std::string text;
  for (const Digest& digest : path) text += " " + digest.hex();
  return text;
}

Digest flipped(const Digest& digest, std::size_t bit) {
  auto bytes = digest.bytes();
  bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  return Digest(bytes);
}

// Each path with something wrong in it.
std::vector<std::vector<Digest>> spoiled(const std::vector<Digest>& path) {
  std::vector<std::vector<Digest>> all;
  for (std::size_t i = 0; i < path.size(); ++i) {
    all.push_back(path);
    all.back()[i] = flipped(path[i], 37 * i % 256);
    all.push_back(path);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(i));
  }
  all.push_back(path);
  all.back().push_back(sha256("more"));
  all.push_back(path);
  all.back().insert(all.back().begin(), sha256("more"));
  return all;
}

}  // namespace

TEST_CASE("the roots of a tree are those that Certificate Transparency publishes", "[merkle]") {
  const MerkleTree tree(hashes_of(kPublishedLeaves));
  CHECK(tree.root(0).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t size = 1; size <= kPublishedRoots.size(); ++size) {
    CAPTURE(size);
    CHECK(tree.root(size).hex() == kPublishedRoots[size - 1]);
  }
  // From the same table: the path of the first leaf among all, and from six leaves to all.
  CHECK(text_of(tree.inclusion(0, 8)) ==
        " 96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
        " 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        " 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
  CHECK(text_of(tree.consistency(6, 8)) ==
        " 0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
        " ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
        " d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

TEST_CASE("roots and proofs are those of the definitions, word for word, in Python", "[merkle]") {
  constexpr std::size_t kMost = 40;
  const auto reference = run_program({TRAINYARD_SYSTEM_PYTHON, TRAINYARD_MERKLE_REFERENCE, std::to_string(kMost)}, {},
                                     "/", "", std::chrono::minutes(1))
                             .value();
  REQUIRE(reference.status.code == 0);
  const MerkleTree tree = numbered_tree(kMost);
  std::string ours;
  MerkleFrontier frontier;
  for (std::size_t size = 0; size <= kMost; ++size) {
    const std::string n = std::to_string(size);
    CHECK(frontier.head() == MerkleHead{size, tree.root(size)});
    ours += "root " + n + " " + frontier.head().root.hex() + "\n";
    for (std::size_t i = 0; i < size; ++i)
      ours += "inclusion " + std::to_string(i) + " " + n + text_of(tree.inclusion(i, size)) + "\n";
    for (std::size_t before = 1; before <= size; ++before)
      ours += "consistency " + std::to_string(before) + " " + n + text_of(tree.consistency(before, size)) + "\n";
    frontier.append(merkle_leaf("leaf " + n));
  }
  for (std::size_t size = 1; size <= kPublishedRoots.size(); ++size)
    ours += "published " + std::to_string(size) + " " + kPublishedRoots[size - 1] + "\n";
  // Not in one CHECK: a difference in 100 KB of text is nothing to print.
  std::istringstream wanted(reference.out);
  std::istringstream found(ours);
  std::string wanted_line;
  std::string found_line;
  while (std::getline(wanted, wanted_line)) {
    REQUIRE(std::getline(found, found_line));
    REQUIRE(found_line == wanted_line);
  }
  CHECK_FALSE(std::getline(found, found_line));
}

TEST_CASE("a proof of inclusion holds for its leaf, place, size and root alone", "[merkle]") {
  const MerkleTree tree = numbered_tree(37);
  for (std::uint64_t size = 1; size <= tree.size(); ++size) {
    const MerkleHead head{size, tree.root(size)};
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto path = tree.inclusion(index, size);
      const Digest leaf = merkle_leaf("leaf " + std::to_string(index));
      REQUIRE(is_included(leaf, index, path, head));
      REQUIRE_FALSE(is_included(flipped(leaf, index), index, path, head));
      REQUIRE_FALSE(is_included(leaf, index, path, {size, flipped(head.root, 200)}));
      for (std::uint64_t other = 0; other <= size; ++other) {
        if (other != index) REQUIRE_FALSE(is_included(leaf, other, path, head));
      }
      for (const auto& wrong : spoiled(path)) REQUIRE_FALSE(is_included(leaf, index, wrong, head));
    }
  }
  // A node of the tree is no leaf of it.
  CHECK_FALSE(is_included(tree.root(2), 0, tree.inclusion(0, 2), {2, tree.root(2)}));
  CHECK_FALSE(is_included(merkle_leaf("leaf 0"), 0, {}, {0, sha256("")}));
}

TEST_CASE("a proof of consistency holds for its two trees alone", "[merkle]") {
  const MerkleTree tree = numbered_tree(37);
  for (std::uint64_t after = 0; after <= tree.size(); ++after) {
    const MerkleHead later{after, tree.root(after)};
    for (std::uint64_t before = 0; before <= after; ++before) {
      const auto path = tree.consistency(before, after);
      const MerkleHead earlier{before, tree.root(before)};
      REQUIRE(is_consistent(earlier, later, path));
      REQUIRE_FALSE(is_consistent({before, flipped(earlier.root, 3)}, later, path));
      if (before != 0) REQUIRE_FALSE(is_consistent(earlier, {after, flipped(later.root, 3)}, path));
      for (const auto& wrong : spoiled(path)) REQUIRE_FALSE(is_consistent(earlier, later, wrong));
      if (before < after) REQUIRE_FALSE(is_consistent(later, earlier, path));
    }
  }
}

TEST_CASE("a frontier goes on from its peaks as if it had never stopped", "[merkle]") {
  MerkleFrontier whole;
  MerkleFrontier resumed;
  for (std::uint64_t size = 0; size < 70; ++size) {
    const Digest leaf = merkle_leaf(std::to_string(size));
    whole.append(leaf);
    resumed = MerkleFrontier::of(resumed.size(), resumed.peaks()).value();
    resumed.append(leaf);
    REQUIRE(resumed == whole);
  }
  CHECK(MerkleFrontier::of(6, {sha256("a")}).error().message == "a Merkle tree of 6 leaves has 2 peaks, not 1");
  CHECK(MerkleFrontier::of(0, {}).value() == MerkleFrontier());
}

}  // namespace trainyard::merkle_test
