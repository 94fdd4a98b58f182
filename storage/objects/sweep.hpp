// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/objects/object_census.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What collecting garbage would do to one pack.
struct PackSweep {
  PackId pack{};
  std::uint64_t file_bytes = 0;
  std::uint64_t dead_bytes = 0;  // of objects that nothing needs, and of second copies
  bool rewrite = false;          // its dead objects go now: the pack is removed, or what lives in it moves to a new one
  std::vector<Digest> dead;      // sorted; none for a pack that no index names, which is dead as a whole
  friend bool operator==(const PackSweep&, const PackSweep&) = default;
};

// Schema: schemas/sweep-plan.schema.json.
struct SweepPlan {
  std::uint64_t generation = 0;
  std::uint64_t objects = 0;  // in the store
  std::uint64_t dead_objects = 0;
  std::uint64_t freed_bytes = 0;  // how much smaller the store will be
  std::vector<PackSweep> packs;   // those with something dead, or too small to stay alone; by name
  friend bool operator==(const SweepPlan&, const SweepPlan&) = default;
};

Json to_json(const SweepPlan& plan);
Result<SweepPlan> sweep_plan_from(const Json& json);

// `live[n]` tells whether the object with number n is needed. A pack is worth writing anew when a fifth of it is dead;
// small packs are put together when there are many of them. Holds nothing and changes nothing: what a writer is about to
// finish may be told as dead here, and is looked at again by `sweep`.
Result<SweepPlan> plan_sweep(PackObjects& objects, const ObjectCensus& census, const std::vector<bool>& live);

struct SweepReport {
  std::uint64_t freed_bytes = 0;  // 0 when the store has become larger, which packing small packs together can do
  std::uint64_t removed_objects = 0;
  std::uint64_t packs_removed = 0;
  std::uint64_t packs_written = 0;
};

// Tells for each number of the census whether something needs the object. What has a tombstone is needed by nothing, and
// does not keep its parts alive.
using Mark = std::function<Result<std::vector<bool>>(ObjectCensus& census)>;

// Removes the dead objects of `plan` that are still dead: waits until no writer holds the store, keeps writers out, asks
// `mark` which objects are needed now, and goes through the packs one by one. What lives in a pack is durable in a new
// one, under a new index, before the old pack goes, so an interruption at any point loses nothing and can be repeated.
// Ends with another generation. `corrupt` when the index is damaged or the packs are not as it says.
// REQUIRES: everything that was put is synced. Lets go of the store's own hold.
Result<SweepReport> sweep(PackObjects& objects, const SweepPlan& plan, const Mark& mark,
                          const std::function<void(std::size_t done, std::size_t all)>& progress);

// Takes the bytes of the object out of the store, those of its chunks too unless another living object needs them; the
// tombstone is durable before the first byte goes, and the packs are written anew at once, however little of them goes.
// The object itself goes even when it is a chunk of a larger one, which is incomplete from then on. After an interruption
// the same call completes it. `not_found` when the store has no such object. REQUIRES: as `sweep`.
Result<SweepReport> purge(PackObjects& objects, const Tombstone& tombstone, const Mark& mark);

}  // namespace trainyard
