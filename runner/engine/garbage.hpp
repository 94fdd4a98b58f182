// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runner/engine/hold_alone.hpp"
#include "runner/engine/leavings.hpp"
#include "runner/engine/reachability.hpp"
#include "storage/objects/sweep.hpp"

// Taking objects out of a store that nothing needs, or that must not be there any more.
namespace trainyard {

// Whether to go on when objects are missing that the store has to keep. Then what is left of it is kept.
enum class MissingObjects { refuse, accept };

struct GarbageOptions {
  MissingObjects missing = MissingObjects::refuse;
  WaitForWriters writers;
  std::function<void(std::size_t done, std::size_t all)> progress;
};

// What could be removed at this moment. Changes nothing. An error when it cannot be told what the store has to keep: a
// record cannot be read, a tree is damaged, something is there that nobody knows.
Result<SweepPlan> plan_garbage(const Store& store, MissingObjects missing);

struct GarbageReport {
  SweepReport objects;
  Leavings leavings;
};

// Removes those objects of the plan that are still needed by nobody, then the leavings. Waits until nobody writes, or
// fails with `unavailable`.
Result<GarbageReport> collect_garbage(const Store& store, const SweepPlan& plan, Instant now,
                                      const GarbageOptions& options);

// A file that shall leave the store for good, wherever it is in there.
struct PurgePreview {
  Digest digest;
  std::uint64_t bytes = 0;           // of the file
  std::vector<std::string> needs;    // "snapshot 3f2a…: people/names.csv", those that will be incomplete
  std::vector<std::string> owners;   // of those, each once
  std::vector<Path> copies;          // files with these bytes in the artifacts folders of runs, which go too
  std::optional<Tombstone> earlier;  // of a purge that was done already, or interrupted
};

// Changes nothing. `not_found` when the store never had it, `invalid` when it is not a file, `unavailable` while a run
// uses it.
Result<PurgePreview> preview_purge(const Store& store, const Digest& digest);
// Takes it out of the store: its copies, the checkouts that have it, and the object, of which a tombstone remains. Can be
// repeated, and completes what was interrupted.
Result<SweepReport> purge_file(const Store& store, const PurgePreview& preview, const std::string& reason, Instant now,
                               const GarbageOptions& options);

}  // namespace trainyard
