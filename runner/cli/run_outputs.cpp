// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_outputs.hpp"

#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/transfer_line.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/output_sending.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<SentOutputs> send_to(const KnownRemote& remote, const RunId& run, const Store& store) {
  // Who stopped the run has not given up the sending.
  const int before = interrupts();
  auto opened = TRY(open_remote(remote.address));
  const RemoteTarget to{remote.name.text(), std::move(opened)};
  TransferLine line("sent");
  SendOptions options;
  options.progress = [&](const SendProgress& progress) { line.show(progress.done, progress.all, progress.sent); };
  options.cancelled = [before] { return interrupts() > before; };
  auto sent = send_outputs(run, to, options, store);
  line.clear();
  return sent;
}

}  // namespace

Result<void> check_output_remote(const RunRequest& request, const Store& store) {
  if (!request.output_remote) return {};
  return check_writable(TRY(RemoteList(store.remotes(), store.scratch()).find(*request.output_remote)));
}

std::string sending_command(const RunPlan& plan) {
  return "trainyard runs send " + plan.run.text() + " --to " + *plan.request.output_remote;
}

void send_outputs_of(const RunPlan& plan, const Store& store) {
  if (!plan.request.output_remote) return;
  const auto remote = RemoteList(store.remotes(), store.scratch()).find(*plan.request.output_remote);
  const auto sent = remote.ok() ? send_to(*remote, plan.run, store) : remote.error();
  if (!sent.ok()) {
    complain("what the run " + plan.name.text() + " left was not sent to '" + *plan.request.output_remote +
             "': " + sent.error().message + "; '" + sending_command(plan) + "' tries again");
    return;
  }
  complain("what the run " + plan.name.text() + " left is on '" + *plan.request.output_remote + "' as " +
           plan.parent.content.name.text() + ":" + sent->label);
  for (const std::string& sentence : sent->missing) complain(sentence);
}

Result<ExitCode> perform(const command::RunsSend& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  const std::vector<std::string> names = command.to.empty() ? std::vector<std::string>() : std::vector{command.to};
  const KnownRemote remote = TRY(named_remotes(store, names)).front();
  TRY(check_writable(remote));
  count_interrupts();
  const SentOutputs sent = TRY(send_to(remote, run.plan.run, store));
  if (invocation.output == Output::json) {
    print_json({{"run", run.plan.run.text()},
                {"remote", remote.name.text()},
                {"package", run.plan.parent.content.name.text()},
                {"label", sent.label},
                {"manifest", sent.manifest.digest.hex()},
                {"bytes_sent", sent.sent},
                {"missing", sent.missing}});
    return ExitCode::ok;
  }
  print("sent " + size_text(sent.sent) + " of run " + run.plan.name.text() + " to " + remote.name.text() + " as " +
        run.plan.parent.content.name.text() + ":" + sent.label + "\n  sha256:" + sent.manifest.digest.hex() + "\n");
  for (const std::string& sentence : sent.missing) print("  missing: " + printable(sentence) + "\n");
  return ExitCode::ok;
}

}  // namespace trainyard
