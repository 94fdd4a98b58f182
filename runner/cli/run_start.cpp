// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_start.hpp"

#include <set>

#include "runner/cli/detached.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/run_display.hpp"
#include "runner/cli/run_outputs.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_results.hpp"
#include "runner/engine/bucket_intake.hpp"
#include "storage/values/parameter.hpp"

namespace trainyard {

namespace {

void print_summary(const RunReport& report, const std::string& results) {
  const RunPlan& plan = report.plan;
  const std::string parent = plan.parent.content.name.text() + "@" + plan.parent.version.text();
  const double seconds = static_cast<double>(report.ended_at.microseconds - report.started_at.microseconds) / 1e6;
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
  if (outputs != nullptr && outputs->evaluation) rows.push_back({"  score", number_text(outputs->evaluation->score)});
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

Result<ExitCode> start_attached(const RunRequest& request, const Secrets& secrets, Repeats repeats,
                                const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  TRY(check_output_remote(request, store));
  count_interrupts();
  RunDisplay display;
  const auto driven = run_here(request, secrets, repeats, store, display);
  display.clear();
  const RunReport report = TRY(driven);
  const std::string results = (store.runs() / report.plan.run.text() / "_results.json").string();
  if (invocation.output == Output::json) {
    print_json(results_json(report));
  } else {
    print_summary(report, results);
  }
  if (const CollectedOutputs* const outputs = outputs_of(report.state)) tell_of_data(*outputs);
  send_outputs_of(report.plan, store);
  const auto* const failed = std::get_if<state::Failed>(&report.state);
  if (failed == nullptr) return ExitCode::ok;
  complain("run " + report.plan.name.text() + " " +
           (failed->outcome.status() == RunStatus::killed ? "was killed" : "failed") + " (" +
           std::string(name_of(failed->outcome.reason)) + "): " + failed->outcome.message);
  return exit_code_of(failed->outcome);
}

// Tells of the run's beginning, and of nothing else.
class Herald final : public RunObserver {
 public:
  explicit Herald(const Begun& begun) : begun_(begun) {}

  void began(const RunPlan& plan) override {
    begun_(canonical({{"run", plan.run.text()}, {"name", plan.name.text()}}));
  }
  StopWish stop_wish() override {
    if (interrupts() == 0) return StopWish::none;
    return interrupts() == 1 ? StopWish::polite : StopWish::now;
  }

 private:
  const Begun& begun_;
};

Result<ExitCode> start_detached(const RunRequest& request, const Secrets& secrets, Repeats repeats,
                                const Invocation& invocation) {
  const std::string words = TRY(do_detached([&](const Begun& begun) -> Result<void> {
    const Store store = TRY(open_store(invocation));
    TRY(check_output_remote(request, store));
    count_interrupts();
    Herald herald(begun);
    send_outputs_of(TRY(run_here(request, secrets, repeats, store, herald)).plan, store);
    return {};
  }));
  const Json run = TRY(parse_json(words, "the beginning of the run"));
  if (invocation.output == Output::json) {
    print_json(run);
  } else {
    print(run.at("run").get<std::string>() + "\n");
  }
  return ExitCode::ok;
}

}  // namespace

Result<ExitCode> start_run(const RunRequest& request, const Secrets& secrets, Repeats repeats,
                           const Invocation& invocation, Detach detach) {
  return detach == Detach::yes ? start_detached(request, secrets, repeats, invocation)
                               : start_attached(request, secrets, repeats, invocation);
}

Result<std::string> dataset_of(const std::string& typed) {
  if (names_bucket(typed)) return TRY(bucket_address(typed)).text();
  if (typed.starts_with("file:/")) return TRY(RemoteAddress::parse(typed)).place;
  const bool path = typed.starts_with('/') || typed == "." || typed == ".." || typed.starts_with("./") ||
                    typed.starts_with("../") || is_there(typed);
  return path ? TRY(absolute_path(typed)).string() : typed;
}

Result<void> set_variables(RunRequest& request, const std::vector<std::string>& pairs) {
  std::set<std::string> given;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    const std::string name = pair.substr(0, equals);
    if (equals == std::string::npos || !is_variable_name(name)) {
      return fail(Errc::invalid,
                  "--env is '" + pair + "' but must be NAME=VALUE, with a name of letters, digits and '_'");
    }
    if (!given.insert(name).second) return fail(Errc::invalid, "--env gives " + name + " twice");
    request.environment[name] = pair.substr(equals + 1);
  }
  return {};
}

}  // namespace trainyard
