// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>

#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/run_display.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_results.hpp"
#include "storage/values/parameter.hpp"

namespace trainyard {

namespace {

// "90s", "1.5h", "200ms", or seconds without a unit; in milliseconds.
Result<std::int64_t> parse_duration(const std::string& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  double factor = 0;
  if (unit == "ms") factor = 1;
  if (unit.empty() || unit == "s") factor = 1000;
  if (unit == "m") factor = 60 * 1000;
  if (unit == "h") factor = 3600 * 1000;
  const double milliseconds = std::round(value * factor);
  if (error == std::errc() && factor > 0 && value >= 0 &&
      milliseconds <= static_cast<double>(RunRequest::kLongestTime)) {
    return static_cast<std::int64_t>(milliseconds);
  }
  return fail(Errc::invalid,
              option + " is '" + text + "' but must be a time such as 90s, 30m or 8h, of a year at most");
}

// What is there as a path is one, also when a dataset of the store has that name; so is what begins like one.
Result<std::string> dataset_of(const std::string& typed) {
  const bool path = typed.starts_with('/') || typed == "." || typed == ".." || typed.starts_with("./") ||
                    typed.starts_with("../") || is_there(typed);
  return path ? TRY(absolute_path(typed)).string() : typed;
}

Result<RunRequest> request_of(RunType type, const command::RunOptions& command) {
  auto package = TRY(PackageReference::parse(command.package));
  std::string dataset = TRY(dataset_of(command.dataset));
  RunRequest request{type, std::move(package), std::move(dataset), {}, {}, {}, false, false, RunRequest::kDefaultGrace,
                     {},   MountKind::best,    {},                 Dependencies::system};
  if (!command.name.empty()) request.name = TRY(RunName::parse(command.name));
  for (const std::string& pair : command.environment) {
    const std::size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    if (equals == std::string::npos || !is_variable_name(name)) {
      return fail(Errc::invalid,
                  "--env is '" + pair + "' but must be NAME=VALUE, with a name of letters, digits and '_'");
    }
    if (!request.environment.emplace(name, pair.substr(equals + 1)).second)
      return fail(Errc::invalid, "--env gives " + name + " twice");
  }
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
  if (!command.python.empty()) request.python = TRY(absolute_path(command.python)).string();
  if (!command.dependencies.empty()) {
    const auto dependencies = parse_dependencies(command.dependencies);
    if (!dependencies.ok()) return within("--dependencies", dependencies.error());
    request.dependencies = *dependencies;
  }
  return request;
}

void print_summary(const RunReport& report, const std::string& results) {
  const RunPlan& plan = report.plan;
  const std::string parent = plan.parent.content.name.text() + "@" + plan.parent.version.text();
  const double seconds = static_cast<double>(report.ended_at.microseconds - plan.created_at.microseconds) / 1e6;
  std::vector<std::vector<std::string>> rows;
  if (report.version) {
    print(report.version->content.name.text() + "@" + report.version->version.text() + " made from " + parent +
          " by run " + plan.name.text() + " in " + duration_text(seconds) + "\n");
  } else if (std::holds_alternative<state::Evaluated>(report.state)) {
    print(parent + " evaluated by run " + plan.name.text() + " in " + duration_text(seconds) + "\n");
  } else {
    print("run " + plan.name.text() + " of " + parent + " ended after " + duration_text(seconds) +
          " and made no version\n");
  }
  const CollectedOutputs* const outputs = outputs_of(report.state);
  if (outputs != nullptr && outputs->evaluation)
    rows.push_back({"  score", number_text(outputs->evaluation->score)});
  if (report.artifacts) rows.push_back({"  artifacts", report.artifacts_folder});
  const auto data = data_of(report.state);
  if (data && data->data.snapshot) rows.push_back({"  snapshot", snapshot_id(data->data.tree)});
  if (data && data->evaluation && data->evaluation->snapshot)
    rows.push_back({"  evaluation snapshot", snapshot_id(data->evaluation->tree)});
  rows.push_back({"  results", results});
  print(table(rows));
}

void tell_of_data(const CollectedOutputs& outputs) {
  if (outputs.trained_on_dataset) {
    complain("process_data left nothing in the training folder, so the package was trained on the dataset as it is");
  }
  const auto overlap = outputs.evaluation ? outputs.evaluation->overlap : std::nullopt;
  if (!overlap || overlap->files == 0) return;
  complain(std::to_string(overlap->files) + " of " + plural(overlap->of, "file") +
           " of the evaluation data are training data too, such as '" + overlap->examples.front() +
           "', so the score says too much");
}

Result<ExitCode> carry_out(const RunRequest& request, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  count_interrupts();
  RunDisplay display;
  const auto driven = run_here(request, store, display);
  display.clear();
  const RunReport report = TRY(driven);
  const std::string results = (store.runs() / report.plan.run.text() / "_results.json").string();
  if (invocation.output == Output::json) {
    print_json(results_json(report));
  } else {
    print_summary(report, results);
  }
  if (const CollectedOutputs* const outputs = outputs_of(report.state)) tell_of_data(*outputs);
  const auto* const failed = std::get_if<state::Failed>(&report.state);
  if (failed == nullptr) return ExitCode::ok;
  complain("run " + report.plan.name.text() + " " +
           (failed->outcome.status() == RunStatus::killed ? "was killed" : "failed") + " (" +
           std::string(name_of(failed->outcome.reason)) + "): " + failed->outcome.message);
  return exit_code_of(failed->outcome);
}

}  // namespace

Result<ExitCode> perform(const command::RunTraining& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::training, command));
  request.save_training_data = command.save_training_data;
  return carry_out(request, invocation);
}

Result<ExitCode> perform(const command::RunEvaluation& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::evaluation, command));
  request.save_test_data = command.save_test_data;
  return carry_out(request, invocation);
}

Result<ExitCode> perform(const command::RunFull& command, const Invocation& invocation) {
  RunRequest request = TRY(request_of(RunType::full, command));
  if (!command.evaluation_dataset.empty()) request.evaluation_dataset = TRY(dataset_of(command.evaluation_dataset));
  request.save_training_data = command.save_training_data;
  request.save_test_data = command.save_test_data;
  return carry_out(request, invocation);
}

}  // namespace trainyard
