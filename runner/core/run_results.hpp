// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/run_plan.hpp"
#include "runner/core/run_state.hpp"

namespace trainyard {

// One metric over a whole run. Values that are not finite count, but are neither least nor most.
struct MetricSummary {
  std::uint64_t count = 0;
  std::int64_t last_step = 0;
  double last = 0;
  std::optional<double> least;
  std::optional<double> most;
};

// Folds the events of a run, in their order.
class MetricSummaries {
 public:
  void add(const event::Measured& measured);
  [[nodiscard]] Json json() const;

 private:
  std::map<std::string, MetricSummary> by_name_;
};

// One job of a run. Most runs have one.
struct Attempt {
  Instant started_at;
  Instant ended_at;
  Outcome outcome;
  std::optional<JobExit> exit;  // none when nobody knows how it ended
  // How each of its workers ended, by rank, where it had several.
  std::vector<std::optional<JobExit>> ranks = {};
  std::optional<Instant> begun_at = {};  // when its job began to run; none when it never did
};

// When a run had its slot: waiting for it is not execution. None when it never had one.
std::optional<Instant> start_in(const std::vector<JournalEntry>& journal);

// For how long the jobs of these attempts ran, where one that left no word ran until that was noticed: waiting in the queue
// of a cluster is no part of it.
std::int64_t milliseconds_run(const std::vector<Attempt>& attempts);

// The attempts that a journal tells of, in order; their exits are known elsewhere.
std::vector<Attempt> attempts_in(const std::vector<JournalEntry>& journal);

// All that is known of a run when it is over.
struct RunReport {
  RunPlan plan;
  RunState state;      // Published, Evaluated, Reproduced or Failed
  Instant started_at;  // when it had its slot; of one that never had, its end
  Instant ended_at;
  std::vector<Attempt> attempts;         // none when no job ran
  std::optional<TreeSummary> artifacts;  // none when the run left no artifacts folder that could be kept
  std::string artifacts_folder;          // absolute
  std::optional<VersionRecord> version;
  MetricSummaries metrics;
  std::optional<std::string> python_version;  // as the worker of a Python package told it: "Python 3.11.2"
  std::string runner_version;
  std::string host;
};

// Pure: the document _results.json. Its `parameters` and `run_summary` have the fixed keys of the results contract;
// `traceability` is enough to audit the run from this file alone. Schema: schemas/results.schema.json.
Json results_json(const RunReport& report);

// The one thing that Trainyard asks results for: what a run left for people, none when it left nothing.
Result<std::optional<TreeSummary>> artifacts_in_results(const Json& results);

// How the results name a snapshot, and what every command that takes one accepts: the digest of its tree.
std::string snapshot_id(const TreeSummary& tree);

}  // namespace trainyard
