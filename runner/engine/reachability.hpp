// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runner/engine/store_roots.hpp"
#include "storage/objects/object_census.hpp"
#include "storage/values/tree.hpp"

// From the roots of a store to the objects that they need.
namespace trainyard {

// Told of what a root needs.
struct Reached {
  // An object by its number in the census: the tree, a file, or a part of either. Once or more.
  std::function<void(std::size_t number)> object;
  // An object that the store does not have, nor has it been purged. Once or more.
  std::function<void(const Digest& digest)> missing;
  // An object of which it cannot be told what its parts are. Without this, it is an error.
  std::function<void(const Digest& digest)> broken;
};

// Both outlive this. Keeps the tree that was loaded last, so that roots with one tree are cheap side by side.
class Reachability {
 public:
  // `except` is passed over, and so are its parts.
  Reachability(PackObjects& objects, ObjectCensus& census, const std::optional<Digest>& except = std::nullopt)
      : objects_(objects), census_(census), except_(except) {}

  // Yields how many bytes the root's files have where they are needed. Loads the tree for that; an error, in the words
  // of the root, when it cannot be loaded.
  Result<std::uint64_t> reach(const StoreRoot& root, const Reached& reached);

 private:
  Result<void> reach_object(const Digest& digest, const Reached& reached);

  PackObjects& objects_;
  ObjectCensus& census_;
  const std::optional<Digest> except_;
  std::optional<Digest> digest_;  // of tree_
  Tree tree_;
};

// Which objects any root needs, by their numbers.
struct LiveObjects {
  std::vector<bool> live;
  std::set<Digest> missing;  // needed, not there, and not purged
};
// Each tree is loaded once, one at a time. What `except` alone needs is not live, itself included.
Result<LiveObjects> mark(std::span<const StoreRoot> roots, PackObjects& objects, ObjectCensus& census,
                         const std::optional<Digest>& except = std::nullopt);

// Where in the store an object is wanted.
struct Need {
  std::size_t root = 0;  // an index into the roots
  Digest digest;
  std::string path;  // the text of a RelPath in the root's tree; empty for the tree itself
  friend bool operator==(const Need&, const Need&) = default;
};
// Every place where one of `wanted` is, in the order of roots and paths. Trees that cannot be loaded are passed over.
std::vector<Need> needs_of(const std::set<Digest>& wanted, std::span<const StoreRoot> roots, PackObjects& objects);
// "version digits@1.1: model/weights.bin".
std::string text_of(const Need& need, std::span<const StoreRoot> roots);

}  // namespace trainyard
