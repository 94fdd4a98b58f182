// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/core/run_plan.hpp"
#include "runner/core/run_results.hpp"
#include "runner/core/run_state.hpp"
#include "runner/engine/lineage_reading.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/runs/run_index.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// A run as its plan and its journal tell of it.
struct KnownRun {
  RunFolder folder;
  RunPlan plan;
  std::vector<JournalEntry> journal;  // never empty

  [[nodiscard]] const JournalEntry& last() const { return journal.back(); }
  [[nodiscard]] bool is_over() const { return is_final(last().state); }
  // Its job is in the queue of a cluster, and no machine has it yet.
  [[nodiscard]] const JobId* waiting_job() const;
  [[nodiscard]] RunStatus status() const;
  [[nodiscard]] std::string reason() const;                     // "-" before it is over
  [[nodiscard]] std::optional<PackageVersion> version() const;  // that it made
  [[nodiscard]] std::optional<double> score() const;
  [[nodiscard]] double seconds() const;       // since it had its slot, or waits for one; until now, or its end
  [[nodiscard]] std::string package() const;  // "digits@1.0", which it ran
};

Result<KnownRun> read_run(const RunFolder& folder);

// Of runs that cannot be read the reader is told on stderr.
Result<RunsFound> find_runs(const Store& store, const RunQuery& query);

// The same without a limit, for who reads the runs of a sweep.
Result<std::vector<RunFacts>> find_sweep_runs(const Store& store, const RunQuery& query);

// The evaluations of a package that succeeded, as the index of runs has them. The store outlives it.
EvaluationsOf evaluations_in(const Store& store);

// By name, id, or the beginning or end of an id. `not_found` suggests the nearest name; `invalid` when it fits several.
Result<KnownRun> find_run(const Store& store, const std::string& wanted);

// The worker that --rank names, 0 when it is not given. `invalid` when the run has none of that number.
Result<int> rank_of(const std::string& wanted, const KnownRun& run);

// The runs that made a version by a definition (runner/core/run_definition.hpp), the newest first.
Result<std::vector<RunFacts>> find_runs_like(const Store& store, const std::string& definition);

// What lists and scripts call a run's main facts.
RunFacts facts_of(const KnownRun& run);
Json summary_json(const RunFacts& facts, const Store& store);

}  // namespace trainyard
