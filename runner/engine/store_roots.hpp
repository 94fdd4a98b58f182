// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/store/store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// One tree that a record of the store names, and so keeps.
struct StoreRoot {
  enum class Kind { version, snapshot, dataset, run };
  enum class Files { needed, not_needed };  // not: the tree itself is kept, which tells the digests of what is gone

  Kind kind = Kind::version;
  std::string owner;  // "digits@1.1", a snapshot's id, "weather@2", "nightly (019b…)"
  std::string part;   // of a run: "data", "package" or "artifacts"; else empty
  Digest tree;
  Files files = Files::needed;

  friend bool operator==(const StoreRoot&, const StoreRoot&) = default;
};

std::string_view name_of(StoreRoot::Kind kind);
// "version digits@1.1", "the artifacts of run nightly (019b…)".
std::string text_of(const StoreRoot& root);

// Everything that keeps objects alive, as it is at this moment: the records of versions, snapshots and datasets, and all
// runs. A run that is over keeps its artifacts, and the tree of its data without the files; one that is active keeps
// whatever it may still read.
struct StoreRoots {
  std::vector<StoreRoot> roots;   // by kind and owner, those of one owner side by side
  std::vector<Error> unreadable;  // a record that cannot be read, or something in its place that nobody knows

  // The roots, or why they are not all: what must not miss one asks for this.
  [[nodiscard]] Result<std::vector<StoreRoot>> complete() const;
};

StoreRoots read_store_roots(const Store& store);

}  // namespace trainyard
