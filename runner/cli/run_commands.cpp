// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/quantities.hpp"
#include "runner/cli/run_start.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/remotes/remote_list.hpp"

namespace trainyard {

namespace {

Result<void> set_limits(RunRequest& request, const command::RunOptions& command) {
  constexpr int kMost = 100'000'000;
  JobLimits& limits = request.limits;
  if (!command.memory.empty()) limits.memory_bytes = TRY(parse_size("--memory", command.memory));
  if (!command.cpus.empty()) limits.cpu_thousandths = TRY(parse_cpus("--cpus", command.cpus));
  if (!command.processes.empty()) limits.processes = TRY(parse_small("--processes", command.processes, 2, kMost));
  if (!command.open_files.empty()) limits.open_files = TRY(parse_small("--open-files", command.open_files, 16, kMost));
  if (!command.disk.empty()) limits.disk_bytes = TRY(parse_size("--disk", command.disk));
  if (!command.log_size.empty()) limits.log_bytes = TRY(parse_size("--log-size", command.log_size));
  return {};
}

Result<void> set_placement(RunRequest& request, const command::RunOptions& command) {
  Placement& placement = request.placement;
  if (!command.executor.empty()) {
    const auto executor = parse_executor_kind(command.executor);
    if (!executor.ok()) return within("--executor", executor.error());
    placement.executor = *executor;
  }
  if (!command.plan.empty()) {
    TRY(check_plan_name(command.plan));
    placement.plan = command.plan;
  }
  if (!command.nodes.empty()) placement.nodes = TRY(parse_small("--nodes", command.nodes, 1, kMostNodes));
  if (!command.data_sharding.empty()) {
    const auto sharding = parse_data_sharding(command.data_sharding);
    if (!sharding.ok()) return within("--data-sharding", sharding.error());
    placement.sharding = *sharding;
  }
  if (!command.partition.empty()) {
    TRY(check_partition(command.partition));
    placement.partition = command.partition;
  }
  for (const std::string& argument : command.sbatch_arguments) TRY(check_sbatch_argument(argument));
  placement.arguments = command.sbatch_arguments;
  return {};
}

Result<ExitCode> start(RunRequest request, const command::RunOptions& command, Repeats repeats,
                       const Invocation& invocation) {
  const Secrets secrets = TRY(take_secrets(request, command.secrets));
  return start_run(request, secrets, repeats, invocation, command.detach ? Detach::yes : Detach::no);
}

}  // namespace

Result<RunRequest> request_of(RunType type, const command::RunOptions& command) {
  auto package = TRY(PackageReference::parse(command.package));
  std::string dataset = TRY(dataset_of(command.dataset));
  RunRequest request = RunRequest::of(type, std::move(package), std::move(dataset));
  if (!command.name.empty()) request.name = TRY(RunName::parse(command.name));
  TRY(set_variables(request, command.environment));
  if (!command.grace.empty()) request.grace_ms = TRY(parse_duration("--grace", command.grace));
  if (!command.max_runtime.empty()) {
    request.max_runtime_ms = TRY(parse_duration("--max-runtime", command.max_runtime));
    if (*request.max_runtime_ms == 0)
      return fail(Errc::invalid, "--max-runtime is 0, which would stop the run before it starts");
  }
  if (!command.mount.empty()) {
    const auto mount = parse_mount_kind(command.mount);
    if (!mount.ok()) return within("--mount", mount.error());
    request.mount = *mount;
  }
  if (!command.experiment.empty()) request.experiment = TRY(RunName::parse(command.experiment));
  if (command.tags.size() > kMostTags)
    return fail(Errc::invalid, "--tag is given more than " + std::to_string(kMostTags) + " times");
  for (const std::string& tag : command.tags) {
    const std::size_t equals = std::min(tag.find('='), tag.size());
    const std::string name = tag.substr(0, equals);
    const std::string value = equals == tag.size() ? "" : tag.substr(equals + 1);
    TRY(check_tag(name, value));
    if (!request.tags.emplace(name, value).second) return fail(Errc::invalid, "--tag gives '" + name + "' twice");
  }
  if (!command.gpus.empty()) request.gpus = TRY(parse_small("--gpus", command.gpus, 0, RunRequest::kMostGpus));
  if (!command.priority.empty()) {
    request.priority =
        TRY(parse_small("--priority", command.priority, -RunRequest::kMostPriority, RunRequest::kMostPriority));
  }
  if (!command.retries.empty())
    request.retries = TRY(parse_small("--retries", command.retries, 0, RunRequest::kMostRetries));
  if (!command.isolation.empty()) {
    const auto isolation = parse_isolation_mode(command.isolation);
    if (!isolation.ok()) return within("--isolation", isolation.error());
    request.isolation.mode = *isolation;
  }
  if (command.network) request.isolation.network = NetworkAccess::host;
  for (const std::string& name : command.without) {
    const auto layer = parse_layer(name);
    if (!layer.ok()) return within("--without", layer.error());
    request.isolation.without.insert(*layer);
  }
  TRY(set_limits(request, command));
  TRY(set_placement(request, command));
  if (!command.output_remote.empty()) request.output_remote = TRY(RemoteName::parse(command.output_remote)).text();
  if (!command.python.empty()) request.python = TRY(absolute_path(command.python)).string();
  if (!command.dependencies.empty()) {
    const auto dependencies = parse_dependencies(command.dependencies);
    if (!dependencies.ok()) return within("--dependencies", dependencies.error());
    request.dependencies = *dependencies;
  }
  return request;
}

Result<ExitCode> perform(const command::RunTraining& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::training, command));
  request.save_training_data = command.save_training_data;
  return start(std::move(request), command, command.allow_repeat ? Repeats::allow : Repeats::refuse, invocation);
}

Result<ExitCode> perform(const command::RunEvaluation& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::evaluation, command));
  request.save_test_data = command.save_test_data;
  return start(std::move(request), command, Repeats::allow, invocation);
}

Result<ExitCode> perform(const command::RunFull& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::full, command));
  if (!command.evaluation_dataset.empty()) request.evaluation_dataset = TRY(dataset_of(command.evaluation_dataset));
  request.save_training_data = command.save_training_data;
  request.save_test_data = command.save_test_data;
  return start(std::move(request), command, command.allow_repeat ? Repeats::allow : Repeats::refuse, invocation);
}

}  // namespace trainyard
