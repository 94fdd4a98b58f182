// SPDX-License-Identifier: Apache-2.0
#include "runner/core/placement.hpp"

#include "runner/core/run_request.hpp"
#include "storage/values/named_enum.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kShardingNames[] = {"replicated", "by-file"};

template <class Value>
void fill(std::optional<Value>& value, const std::optional<Value>& otherwise) {
  if (!value) value = otherwise;
}

}  // namespace

std::string_view name_of(DataSharding sharding) { return kShardingNames[static_cast<std::size_t>(sharding)]; }

Result<DataSharding> parse_data_sharding(std::string_view text) {
  if (const auto value = enum_named<DataSharding>(kShardingNames, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of replicated, by-file");
}

Json to_json(const Placement& placement) {
  return {{"executor", placement.executor ? Json(name_of(*placement.executor)) : Json(nullptr)},
          {"plan", or_null(placement.plan)},
          {"nodes", or_null(placement.nodes)},
          {"sharding", name_of(placement.sharding)},
          {"partition", or_null(placement.partition)},
          {"arguments", placement.arguments}};
}

Result<Placement> placement_from(const Json& json) {
  Placement placement;
  Fields fields(json, "the placement of the run");
  const auto check = [&](const char* key, const std::optional<std::string>& text, auto rule) {
    if (!text) return;
    if (const auto good = rule(*text); !good.ok()) fields.note(key, good.error().message);
  };
  placement.executor = fields.parsed_or_null("executor", parse_executor_kind);
  placement.plan = fields.optional_text("plan");
  check("plan", placement.plan, check_plan_name);
  if (fields.nullable("nodes") != nullptr) placement.nodes = static_cast<int>(fields.integer("nodes", 1, kMostNodes));
  const auto sharding = fields.parsed("sharding", parse_data_sharding);
  placement.partition = fields.optional_text("partition");
  check("partition", placement.partition, check_partition);
  const auto arguments = fields.nested("arguments", sbatch_arguments_from);
  TRY(fields.finish());
  placement.sharding = *sharding;
  placement.arguments = *arguments;
  return placement;
}

Result<void> resolve_placement(RunRequest& request, std::optional<ExecutorKind> decided,
                               const std::map<std::string, ResourcePlan>& plans) {
  Placement& placement = request.placement;
  if (placement.plan) {
    const auto found = plans.find(*placement.plan);
    if (found == plans.end()) {
      std::vector<std::string> names;
      for (const auto& [name, plan] : plans) names.push_back(name);
      return fail(Errc::invalid, "the store has no resource plan '" + *placement.plan + "'" +
                                     did_you_mean(*placement.plan, names) + "; see 'trainyard plans list'");
    }
    const ResourcePlan& plan = found->second;
    fill(placement.executor, plan.executor);
    fill(placement.nodes, plan.nodes);
    fill(placement.partition, plan.partition);
    fill(request.gpus, plan.gpus);
    fill(request.limits.cpu_thousandths, plan.cpu_thousandths);
    fill(request.limits.memory_bytes, plan.memory_bytes);
    fill(request.max_runtime_ms, plan.time_ms);
    // What is given last counts for sbatch.
    placement.arguments.insert(placement.arguments.begin(), plan.arguments.begin(), plan.arguments.end());
  }
  fill(placement.executor, decided);
  fill(placement.executor, std::optional(ExecutorKind::local));
  fill(placement.nodes, std::optional(1));
  // A plan for a cluster serves on a machine too, where it says nothing of partitions.
  if (!runs_in_slurm(request) && placement.plan) {
    placement.partition.reset();
    placement.arguments.clear();
  }
  // Workers reach each other through it.
  if (workers_of(request) > 1) request.isolation.network = NetworkAccess::host;
  return {};
}

Result<void> check_placement(const RunRequest& request) {
  const Placement& placement = request.placement;
  if (!runs_in_slurm(request) && placement.partition)
    return fail(Errc::invalid, "a partition is given, which only --executor slurm has");
  if (!runs_in_slurm(request) && !placement.arguments.empty())
    return fail(Errc::invalid, "arguments for sbatch are given, which only --executor slurm calls");
  if (workers_of(request) > 1 && request.type == RunType::evaluation)
    return fail(Errc::invalid, "an evaluation runs on one node; leave --nodes out");
  if (workers_of(request) == 1 && placement.sharding != DataSharding::replicated)
    return fail(Errc::invalid,
                "the data of a run on one node is not sharded; give --nodes N, or leave --data-sharding out");
  return {};
}

bool runs_in_slurm(const RunRequest& request) { return request.placement.executor == ExecutorKind::slurm; }

int workers_of(const RunRequest& request) { return request.placement.nodes.value_or(1); }

}  // namespace trainyard
