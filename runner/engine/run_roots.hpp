// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "runner/core/run_plan.hpp"
#include "runner/core/run_state.hpp"
#include "runner/engine/store_roots.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// What a run left on disk, read strictly.
struct StoredRun {
  RunPlan plan;
  std::vector<JournalEntry> journal;     // empty while the run begins
  std::optional<TreeSummary> artifacts;  // none when there are none, or none yet
};

enum class RunLife { active, over };

// None for a run that was given up, or has not come as far as its plan. `corrupt` or `incompatible` names the file that
// cannot be read; the torn last line of the journal of an active run is no such thing.
Result<std::optional<StoredRun>> read_stored_run(const RunFolder& folder, RunLife life);

// Pure: the trees that the run keeps.
std::vector<StoreRoot> roots_of(const StoredRun& run, RunLife life);

// The trees that lie in checkouts for the runs that are active. An error when one of those cannot be read.
Result<std::set<Digest>> trees_in_use(const Store& store);

}  // namespace trainyard
