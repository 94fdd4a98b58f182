// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/json.hpp"

namespace trainyard {

// Where the job of a run runs: on the machine of whoever began the run, or where the Slurm of its cluster puts it.
enum class ExecutorKind { local, slurm };
std::string_view name_of(ExecutorKind kind);
Result<ExecutorKind> parse_executor_kind(std::string_view text);

inline constexpr int kMostNodes = 1024;

// What people ask of a machine or a cluster by one name, such as "train.l". What has no value is left to the run.
struct ResourcePlan {
  std::optional<ExecutorKind> executor;
  std::optional<std::int64_t> cpu_thousandths;  // of each node, as the following two
  std::optional<std::int64_t> memory_bytes;
  std::optional<int> gpus;
  std::optional<int> nodes;
  std::optional<std::string> partition;  // of Slurm
  std::optional<std::int64_t> time_ms;   // the longest that a run may take
  std::vector<std::string> arguments;    // further ones for sbatch
  friend bool operator==(const ResourcePlan&, const ResourcePlan&) = default;
};

// [A-Za-z][A-Za-z0-9_.-]{0,63}
Result<void> check_plan_name(const std::string& name);
// A name of letters, digits, '_', '-' and '.', or several with commas between them.
Result<void> check_partition(const std::string& partition);
// Of the form --option or --option=value, and none of those that Trainyard sets itself.
Result<void> check_sbatch_argument(const std::string& argument);

Json to_json(const ResourcePlan& plan);
Result<ResourcePlan> resource_plan_from(const Json& json);
// A list of texts, each of which check_sbatch_argument accepts.
Result<std::vector<std::string>> sbatch_arguments_from(const Json& json);

}  // namespace trainyard
