// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/supervisor.hpp"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>

#include "runner/jobs/job_folder.hpp"
#include "runner/processes/clock.hpp"
#include "runner/processes/poll_until.hpp"
#include "runner/processes/process.hpp"
#include "runner/processes/process_identity.hpp"
#include "runner/worker/descendants.hpp"
#include "runner/worker/event_log.hpp"
#include "runner/worker/exit_codes.hpp"
#include "runner/worker/exit_report.hpp"
#include "runner/worker/log_pump.hpp"
#include "runner/worker/private_overlay.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

// Signals are read from a descriptor, so that nothing here runs in a handler.
Result<UniqueFd> open_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  // SIGHUP is blocked and never read: the job does not end with a terminal.
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::sigdelset(&signals, SIGHUP);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail(Errc::io, "cannot listen to signals");
  return fd;
}

// More than every secret that fits the environment of a process.
constexpr std::size_t kMostSecrets = std::size_t{4} << 20U;

Result<Secrets> take_secrets(const JobSpec& job) {
  if (job.secrets.empty()) return Secrets();
  const Secrets secrets = TRY(secrets_from_json(TRY(read_file("/proc/self/fd/0", kMostSecrets))));
  for (const std::string& name : job.secrets) {
    if (!secrets.contains(name)) return fail(Errc::invalid, "the value of the secret " + name + " did not come");
  }
  return secrets;
}

Result<Process> start_inner(const JobFolder& folder, const JobSpec& job, const Secrets& secrets, const LogPump& logs) {
  if (!is_folder(job.working_directory))
    return fail(Errc::invalid, "the working directory '" + job.working_directory + "' is not a folder");
  SpawnOptions options;
  options.program = "/proc/self/exe";
  options.argv = {"trainyard-worker", "run", folder.path().string(), std::to_string(::getpid())};
  options.environment = job.environment;
  std::string names;
  for (const auto& [name, value] : secrets) {
    options.environment[name] = value;
    names += (names.empty() ? "" : ",") + name;
  }
  // For whoever reports to events.jsonl, which is written by the job's own processes.
  if (!names.empty()) options.environment["TRAINYARD_SECRETS"] = names;
  options.working_directory = job.working_directory;
  options.out = logs.write_end(0);
  options.err = logs.write_end(1);
  options.group = SpawnOptions::Group::own;
  // A stop that comes early waits until the worker can tell the package.
  options.blocked_signals = {SIGTERM};
  return Process::spawn(options);
}

// One job, from its process's start to its end.
class Supervision {
 public:
  Supervision(const JobSpec& job, UniqueFd signals, LogPump logs, Process inner)
      : grace_(job.grace_ms), signals_(std::move(signals)), logs_(std::move(logs)), inner_(std::move(inner)) {
    if (job.max_runtime_ms) stop_at_ = after(milliseconds(*job.max_runtime_ms));
  }

  // Returns when the job's process has ended and nothing that it started is left. Sets all of `exit` but its times.
  Result<void> finish(JobExit& exit) {
    while (!ended_) wait_once();
    // The group is still the job's own: its leader has not been waited for.
    static_cast<void>(::kill(-inner_.pid(), SIGKILL));
    const auto status = TRY(inner_.wait());
    kill_descendants();
    logs_.drain();
    exit.stop = cause_;
    exit.user_us = status->user_us;
    exit.system_us = status->system_us;
    exit.peak_bytes = status->peak_bytes;
    if (logs_.trouble()) return within("the logs are incomplete", *logs_.trouble());
    exit.code = status->code;
    exit.signal = status->signal;
    return {};
  }

 private:
  void wait_once() {
    pollfd ready[] = {{signals_.get(), POLLIN, 0}, {logs_.read_end(0), POLLIN, 0}, {logs_.read_end(1), POLLIN, 0}};
    poll_until(ready, kill_at_ ? kill_at_ : stop_at_);
    for (std::size_t stream = 0; stream < LogPump::kStreams; ++stream) {
      if (ready[stream + 1].revents != 0) logs_.carry(stream);
    }
    if (ready[0].revents != 0) hear();
    const SteadyTime time = std::chrono::steady_clock::now();
    if (stop_at_ && time >= *stop_at_) stop(StopCause::max_runtime, grace_);
    if (kill_at_ && time >= *kill_at_) kill_inner();
  }

  void hear() {
    signalfd_siginfo heard{};
    while (::read(signals_.get(), &heard, sizeof(heard)) == sizeof(heard)) {
      const int number = static_cast<int>(heard.ssi_signo);
      if (number == SIGCHLD) {
        reap();
      } else {
        stop(StopCause::asked, number == SIGUSR1 ? milliseconds(0) : grace_);
      }
    }
  }

  // The first cause counts, and so does the shortest grace.
  void stop(StopCause cause, milliseconds grace) {
    stop_at_.reset();
    const bool first = cause_ == StopCause::none;
    if (first) cause_ = cause;
    if (killed_) return;
    if (first && grace.count() > 0) signal_inner(SIGTERM);
    if (!kill_at_ || after(grace) < *kill_at_) kill_at_ = after(grace);
  }

  void kill_inner() {
    kill_at_.reset();
    killed_ = true;
    signal_inner(SIGKILL);
  }

  void signal_inner(int number) {
    static_cast<void>(::kill(-inner_.pid(), number));
    // A package may have left its group; it is not told twice when it has not.
    if (::getpgid(inner_.pid()) != inner_.pid()) static_cast<void>(inner_.signal(number));
  }

  // Waits for the orphans that have ended. The job's own process is only noted: it is waited for in `finish`.
  void reap() {
    for (;;) {
      siginfo_t child{};
      if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 || child.si_pid == 0) return;
      if (child.si_pid == inner_.pid()) {
        ended_ = true;
        return;
      }
      static_cast<void>(::waitpid(child.si_pid, nullptr, WNOHANG));
    }
  }

  milliseconds grace_;
  UniqueFd signals_;
  LogPump logs_;
  Process inner_;
  std::optional<SteadyTime> stop_at_;  // until something stops the job
  std::optional<SteadyTime> kill_at_;  // from then on until it is killed
  StopCause cause_ = StopCause::none;
  bool killed_ = false;
  bool ended_ = false;
};

Result<void> run_job(const JobFolder& folder, JobExit& exit) {
  UniqueFd signals = TRY(open_signals());
  TRY(adopt_orphans());
  const JobSpec job = TRY(folder.read_job());
  const Secrets secrets = TRY(take_secrets(job));
  const SecretForms hidden(secrets);
  LogPump logs = TRY(LogPump::open(folder, hidden));
  const UniqueFd events = TRY(EventLog::open(folder.events()));
  TRY(enter_private_overlays(job.overlays));
  for (const std::string& made : job.folders) TRY(make_folders(made));
  exit.started_at = now();
  Process inner = TRY(start_inner(folder, job, secrets, logs));
  logs.close_write_ends();
  Supervision supervision(job, std::move(signals), std::move(logs), std::move(inner));
  TRY(supervision.finish(exit));
  // An exit that survives a power cut without the events before it would tell another story.
  return sync_file(events.get(), folder.events());
}

Result<bool> is_ours(const JobFolder& folder) {
  const std::string claimant = TRY(ProcessIdentity::of(::getpid())).text();
  return TRY(claim_job(folder, claimant)) == claimant;
}

}  // namespace

int supervise(const Path& run_folder) {
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-super", 0, 0, 0));
  // The job has another working directory.
  const JobFolder folder(boost::filesystem::absolute(run_folder));
  JobExit exit;
  exit.started_at = now();
  const auto ours = is_ours(folder);
  if (ours.ok() && !*ours) return kDone;
  ExitReport report(folder);
  Result<void> done = ours.ok() ? run_job(folder, exit) : ours.error();
  if (!done.ok()) {
    exit.code.reset();
    exit.signal.reset();
    exit.failure = std::string(utf8_prefix(utf8_cleaned(done.error().message), limits::kReasonCharacters));
  }
  exit.ended_at = now();
  return report.write(exit).ok() ? kDone : kTrouble;
}

}  // namespace trainyard
