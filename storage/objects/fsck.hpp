// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/objects/pack_objects.hpp"

namespace trainyard {

// What is wrong with the bytes of a store. Whether anything needs them is told elsewhere.
struct ObjectDamage {
  std::vector<std::string> problems;  // sentences about files: packs that end early, damaged or missing indexes …
  std::vector<Digest> corrupt;        // objects that are gone or whose bytes are not theirs, sorted
  // Lists one of whose chunks is corrupt or missing, sorted; not told while the index is damaged.
  std::vector<Digest> incomplete;
  std::uint64_t objects = 0;          // looked at
  std::uint64_t unindexed_packs = 0;  // packs that no index names: a writer died, or an index was lost
  std::uint64_t scratch_bytes = 0;    // packs and indexes left in the scratch folder by the dead
  [[nodiscard]] bool sound() const { return problems.empty() && corrupt.empty() && incomplete.empty(); }
};

enum class Depth { structure, every_byte };
using FsckProgress = std::function<void(std::uint64_t bytes_done, std::uint64_t bytes)>;

// Reads packs and index without trusting either, with all cores; reads past nothing that is damaged without looking for
// the next record behind it. `structure` reads headers, tables, lists and the index; `every_byte` compares each object
// with its digest, a large one by its chunks. Keeps collectors of garbage away meanwhile, writers not.
// REQUIRES: everything that was put is synced. Lets go of the store's own hold.
Result<ObjectDamage> check_objects(PackObjects& objects, Depth depth, const FsckProgress& progress);

struct ObjectRepair {
  std::uint64_t indexed = 0;  // objects found in the packs and not in the index before
  // Objects of which the index or a pack told, and of which no good copy is left; sorted. What is purged is not lost.
  std::vector<Digest> lost;
  Path quarantine;  // holds what there is of their bytes, <digest> each; empty when nothing was moved there
};

// Makes the index anew from the packs; moves corrupt objects out of them into quarantine/; removes bytes between records,
// and what the dead left in the scratch folder. Keeps writers out meanwhile. Afterwards check_objects finds nothing but
// lists whose chunks are lost. An interruption at any point loses nothing and can be repeated; what the system cannot
// read is `io`, and nothing is changed then. REQUIRES: as check_objects.
Result<ObjectRepair> repair_objects(PackObjects& objects, const FsckProgress& progress);

}  // namespace trainyard
