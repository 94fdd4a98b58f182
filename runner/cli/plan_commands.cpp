// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/quantities.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_request.hpp"
#include "storage/values/names.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<ResourcePlan> resource_plan_of(const command::PlansSet& command) {
  ResourcePlan plan;
  if (!command.executor.empty()) {
    const auto executor = parse_executor_kind(command.executor);
    if (!executor.ok()) return within("--executor", executor.error());
    plan.executor = *executor;
  }
  if (!command.cpus.empty()) plan.cpu_thousandths = TRY(parse_cpus("--cpus", command.cpus));
  if (!command.memory.empty()) plan.memory_bytes = TRY(parse_size("--memory", command.memory));
  if (!command.gpus.empty()) plan.gpus = TRY(parse_small("--gpus", command.gpus, 0, RunRequest::kMostGpus));
  if (!command.nodes.empty()) plan.nodes = TRY(parse_small("--nodes", command.nodes, 1, kMostNodes));
  if (!command.partition.empty()) {
    TRY(check_partition(command.partition));
    plan.partition = command.partition;
  }
  if (!command.time.empty()) {
    plan.time_ms = TRY(parse_duration("--time", command.time));
    if (*plan.time_ms == 0) return fail(Errc::invalid, "--time is 0, which would stop a run before it starts");
  }
  for (const std::string& argument : command.sbatch_arguments) TRY(check_sbatch_argument(argument));
  plan.arguments = command.sbatch_arguments;
  if (plan == ResourcePlan())
    return fail(Errc::invalid,
                "the plan '" + command.name + "' would ask for nothing; see 'trainyard plans set --help'");
  return plan;
}

std::vector<std::string> row_of(const std::string& name, const ResourcePlan& plan) {
  const auto number = [](const std::optional<int>& value) { return value ? std::to_string(*value) : "-"; };
  std::string arguments;
  for (const std::string& argument : plan.arguments) arguments += (arguments.empty() ? "" : " ") + argument;
  return {name,
          plan.executor ? std::string(name_of(*plan.executor)) : "-",
          plan.cpu_thousandths ? number_text(static_cast<double>(*plan.cpu_thousandths) / 1000) : "-",
          plan.memory_bytes ? size_text(static_cast<std::uint64_t>(*plan.memory_bytes)) : "-",
          number(plan.gpus),
          number(plan.nodes),
          plan.partition.value_or("-"),
          plan.time_ms ? duration_text(static_cast<double>(*plan.time_ms) / 1000) : "-",
          printable(arguments.empty() ? "-" : arguments)};
}

}  // namespace

Result<ExitCode> perform(const command::PlansList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const StoreConfig config = TRY(store.config());
  if (invocation.output == Output::json) {
    print_json(to_json(config).at("plans"));
    return ExitCode::ok;
  }
  if (config.plans.empty()) {
    complain("the store has no resource plans; 'trainyard plans set NAME' makes one");
    return ExitCode::ok;
  }
  std::vector<std::vector<std::string>> rows = {
      {"PLAN", "EXECUTOR", "CPUS", "MEMORY", "GPUS", "NODES", "PARTITION", "TIME", "SBATCH"}};
  for (const auto& [name, plan] : config.plans) rows.push_back(row_of(name, plan));
  print(table(rows));
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PlansSet& command, const Invocation& invocation) {
  TRY(check_plan_name(command.name));
  ResourcePlan plan = TRY(resource_plan_of(command));
  const Store store = TRY(open_store(invocation));
  StoreConfig config = TRY(store.config());
  config.plans.insert_or_assign(command.name, std::move(plan));
  TRY(store.set_config(config));
  return perform(command::PlansList(), invocation);
}

Result<ExitCode> perform(const command::PlansRemove& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  StoreConfig config = TRY(store.config());
  if (config.plans.erase(command.name) == 0) {
    std::vector<std::string> names;
    for (const auto& [name, plan] : config.plans) names.push_back(name);
    return fail(Errc::not_found, "the store has no resource plan '" + command.name + "'" +
                                     did_you_mean(command.name, names) + "; see 'trainyard plans list'");
  }
  TRY(store.set_config(config));
  return perform(command::PlansList(), invocation);
}

}  // namespace trainyard
