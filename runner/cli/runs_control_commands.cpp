// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/run_start.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/sweep.hpp"
#include "runner/engine/run_control.hpp"
#include "runner/processes/clock.hpp"

namespace trainyard {

Result<ExitCode> perform(const command::RunsStop& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  const StopWish wish = command.now ? StopWish::now : StopWish::polite;
  TRY(command.no_wait ? ask_run_to_stop(run.plan.run, wish, store) : stop_here(run.plan.run, wish, store));
  const KnownRun then = TRY(read_run(run.folder));
  if (invocation.output == Output::json) {
    print_json(summary_json(facts_of(then), store));
  } else if (then.is_over()) {
    print("run " + then.plan.name.text() + " is over (" + then.reason() + ")\n");
  } else {
    print("run " + then.plan.name.text() + " was asked to stop\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsDelete& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  std::vector<KnownRun> runs;
  // All are found before the first is gone.
  for (const std::string& wanted : command.runs) runs.push_back(TRY(find_run(store, wanted)));
  Json deleted = Json::array();
  for (const KnownRun& run : runs) {
    TRY(delete_run(run.plan.run, store, now()));
    deleted.push_back({{"run", run.plan.run.text()}, {"name", run.plan.name.text()}});
    if (invocation.output == Output::text) {
      print("deleted the run " + run.plan.name.text() +
            (run.version() ? "; the version " + run.plan.parent.content.name.text() + "@" + run.version()->text() +
                                 " that it made stays"
                           : "") +
            "\n");
    }
  }
  if (invocation.output == Output::json) print_json(deleted);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsRerun& command, const Invocation& invocation) {
  RunRequest request = TRY(find_run(TRY(open_store(invocation)), command.run)).plan.request;
  if (request.reproduces) {
    return fail(Errc::invalid, "the run reproduces " + request.package.name.text() + "@" + request.reproduces->text() +
                                   "; 'trainyard reproduce " + request.package.name.text() + "@" +
                                   request.reproduces->text() + "' does that again");
  }
  request.name.reset();
  // What the plan meant then stands in the request.
  request.placement.plan.reset();
  leave_sweep(request);
  if (!command.name.empty()) request.name = TRY(RunName::parse(command.name));
  if (!command.package.empty()) {
    const PackageName name = request.package.name;
    request.package = TRY(PackageReference::parse(command.package));
    if (request.package.name != name) {
      return fail(Errc::invalid,
                  "the run was of the package '" + name.text() + "', so --package must be a version of that");
    }
  }
  if (!command.dataset.empty()) request.dataset = TRY(dataset_of(command.dataset));
  TRY(set_variables(request, command.environment));
  const std::set<std::string> needed = request.secrets;
  request.secrets.clear();
  const Secrets secrets = TRY(take_secrets(request, command.secrets));
  for (const std::string& name : needed) {
    if (secrets.contains(name)) continue;
    return fail(Errc::invalid, "the run was given the secret " + name + "; give it again with --secret " + name +
                                   ", or with --secret " + name + "=FILE");
  }
  // Whoever says rerun has said that it repeats.
  return start_run(request, secrets, Repeats::allow, invocation, command.detach ? Detach::yes : Detach::no);
}

}  // namespace trainyard
