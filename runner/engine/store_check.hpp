// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runner/engine/reachability.hpp"
#include "storage/objects/fsck.hpp"
#include "storage/trees/verify.hpp"

namespace trainyard {

// A file whose bytes were taken out of the store on purpose.
struct PurgedFile {
  std::string path;
  Tombstone tombstone;
};

// The purged files of a tree, in the order of paths.
std::vector<PurgedFile> purged_files(const Tree& tree, const ObjectStore& objects);

// What reading a tree's files showed.
struct TreeVerdict {
  std::vector<std::string> problems;  // one sentence for each file that is missing or corrupt
  std::vector<PurgedFile> purged;     // no problems: the tree is incomplete by purge
};
Result<TreeVerdict> verify_tree(const Tree& tree, ObjectStore& objects, const TreeProgress& progress,
                                const VerifySample& sample);

// What reading everything showed that the store has to keep.
struct StoreVerdict {
  std::uint64_t roots = 0;
  std::uint64_t objects = 0;          // that were read
  std::uint64_t bytes = 0;            // in them
  std::vector<std::string> problems;  // one sentence for each place where something is missing or corrupt
  std::vector<std::string> purged;    // the same for what was purged
};

// Reads every object of every root once, or those of the sample, in the order that is best for the disk. Fails when not
// all roots can be read, and when the system does not let itself be read from.
Result<StoreVerdict> verify_store(const Store& store, const TreeProgress& progress, const VerifySample& sample);

// What is wrong with a store, and whom it hurts.
struct StoreDamage {
  ObjectDamage objects;
  std::vector<Error> roots;  // that cannot be read
  std::set<Digest> missing;  // objects that roots need and that are not there
  std::set<Digest> needed;   // of those and the corrupt ones: what `needs` tells of
  std::vector<std::string>
      needs;  // the places that need a corrupt or missing object: "version digits@1.1: model.txt: …"
  [[nodiscard]] bool sound() const { return objects.sound() && roots.empty() && missing.empty() && needs.empty(); }
};

Result<StoreDamage> check_store(const Store& store, Depth depth, const FsckProgress& progress);

}  // namespace trainyard
