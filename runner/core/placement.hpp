// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/values/resource_plan.hpp"

namespace trainyard {

struct RunRequest;

// What each worker of a run sees of the dataset: all of it, or those of its files whose place in the order of their
// paths leaves the worker's rank when divided by the number of workers.
enum class DataSharding { replicated, by_file };
std::string_view name_of(DataSharding sharding);
Result<DataSharding> parse_data_sharding(std::string_view text);

// Where the job of a run runs, and with how many workers. How much of a machine it may use is said by JobLimits.
struct Placement {
  std::optional<ExecutorKind> executor;  // once resolved, set
  std::optional<std::string> plan;       // the name of the resource plan that filled in what the run left open
  std::optional<int> nodes;              // with one worker on each; once resolved, set
  DataSharding sharding = DataSharding::replicated;
  std::optional<std::string> partition;  // of Slurm; none for the cluster's own choice
  std::vector<std::string> arguments;    // further ones for sbatch
  friend bool operator==(const Placement&, const Placement&) = default;
};

Json to_json(const Placement& placement);
Result<Placement> placement_from(const Json& json);

// Pure: fills in what the request leaves open, from the plan that it names and then from what the store's users decided.
// `invalid` names the plan that is not there. A request that was resolved before, and whose plan is no longer named, keeps what it
// has.
Result<void> resolve_placement(RunRequest& request, std::optional<ExecutorKind> decided,
                               const std::map<std::string, ResourcePlan>& plans);

// `invalid` where the parts of a resolved request do not go together.
Result<void> check_placement(const RunRequest& request);

// REQUIRES: `request` is resolved.
bool runs_in_slurm(const RunRequest& request);
int workers_of(const RunRequest& request);

}  // namespace trainyard
