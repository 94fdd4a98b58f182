// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/supervisor.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstdio>

#include "runner/jobs/job_folder.hpp"
#include "runner/jobs/sealed_secrets.hpp"
#include "runner/processes/clock.hpp"
#include "runner/processes/poll_until.hpp"
#include "runner/processes/process.hpp"
#include "runner/processes/process_identity.hpp"
#include "runner/worker/descendants.hpp"
#include "runner/worker/event_pump.hpp"
#include "runner/worker/exit_codes.hpp"
#include "runner/worker/exit_report.hpp"
#include "runner/worker/isolation_probe.hpp"
#include "runner/worker/job_bounds.hpp"
#include "runner/worker/job_process.hpp"
#include "runner/worker/log_pump.hpp"
#include "runner/worker/slurm_allocation.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

// Slurm kills a job some time after it has asked it to end: KillWait, 30 seconds where nobody decided otherwise.
constexpr milliseconds kGraceOfSlurm{20'000};
constexpr const char* kHolderGone = "slurmstepd, which held the job, is gone";

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

// Those that wait in a sealed file are there no longer when somebody has read them.
Result<Secrets> unseal_secrets(const JobFolder& folder, const std::string& key) {
  const std::string sealed = TRY(read_file(folder.sealed_secrets(), kMostSecrets));
  TRY(remove_file(folder.sealed_secrets()));
  return unseal(sealed, key);
}

Result<Secrets> take_secrets(const JobSpec& job, const JobFolder& folder, const SlurmAllocation* slurm) {
  if (job.secrets.empty()) return Secrets();
  const Secrets secrets = slurm != nullptr ? TRY(unseal_secrets(folder, slurm->secrets_key()))
                                           : TRY(secrets_from_json(TRY(read_file("/proc/self/fd/0", kMostSecrets))));
  for (const std::string& name : job.secrets) {
    if (!secrets.contains(name)) return fail(Errc::invalid, "the value of the secret " + name + " did not come");
  }
  return secrets;
}

std::map<std::string, std::string> environment_of(const JobSpec& job, const Secrets& secrets) {
  std::map<std::string, std::string> environment = job.environment;
  std::string names;
  for (const auto& [name, value] : secrets) {
    environment[name] = value;
    names += (names.empty() ? "" : ",") + name;
  }
  // For whoever speaks for the job: its own processes.
  if (!names.empty()) environment["TRAINYARD_SECRETS"] = names;
  return environment;
}

// The device files of NVIDIA's driver on this node. Which of them the job may open is for Slurm to say (ConstrainDevices in
// its cgroup.conf).
Result<std::vector<std::string>> devices_of_node() {
  std::vector<std::string> devices;
  for (const std::string& name : TRY(list_folder("/dev"))) {
    if (name.starts_with("nvidia") && !is_folder(Path("/dev") / name)) devices.push_back("/dev/" + name);
  }
  return devices;
}

// What was not known of the job before it had its node.
Result<void> take_from(const SlurmAllocation& slurm, JobSpec& job) {
  for (const auto& [name, value] : slurm.environment()) job.environment[name] = value;
  if (job.gpus > 0) job.sandbox.devices = TRY(devices_of_node());
  return {};
}

// What the job's processes are given, and what lies about while it runs. Left there by a supervisor that was killed, it is
// in nobody's way.
Result<void> make_channel(const JobFolder& folder) {
  TRY(make_folder(folder.root()));
  TRY(make_folder(folder.channel()));
  const UniqueFd copy = TRY(open_file(folder.channel_job(), O_WRONLY | O_CREAT | O_EXCL, 0444));
  return write_all(copy.get(), TRY(read_file(folder.job(), limits::kRecordBytes)), folder.channel_job());
}

// One job, from its process's start to its end.
class Supervision {
 public:
  // `slurm` is null on a machine that no scheduler lends.
  Supervision(const JobSpec& job, UniqueFd signals, LogPump logs, EventPump events, JobBounds bounds,
              const SlurmAllocation* slurm)
      : job_(job),
        slurm_(slurm),
        grace_(job.grace_ms),
        signals_(std::move(signals)),
        logs_(std::move(logs)),
        events_(std::move(events)),
        bounds_(std::move(bounds)) {
    if (job.max_runtime_ms) stop_at_ = after(milliseconds(*job.max_runtime_ms));
  }

  // In the layers that this machine has, as far as the job's mode allows to go on without some.
  Result<void> start(const JobFolder& folder, const std::map<std::string, std::string>& environment, JobExit& exit) {
    IsolationFacts facts = facts_at_hand();
    if (!bounds_.cgroup_why_not().empty()) facts.missing[Layer::cgroup] = bounds_.cgroup_why_not();
    IsolationWish wish = job_.sandbox.wish;
    if (!wants_control_groups(job_)) wish.without.insert(Layer::cgroup);
    StartedJob started = TRY(start_in_layers(
        {job_, folder, {}, environment, logs_.write_end(0), logs_.write_end(1), bounds_.cgroup()}, wish, facts));
    process_.emplace(std::move(started.process));
    exit.isolation = std::move(started.isolation);
    exit.isolation->wish = job_.sandbox.wish;
    logs_.close_write_ends();
    return {};
  }

  // Returns when the job's process has ended and nothing that it started is left. Sets all of `exit` but its times.
  Result<void> finish(JobExit& exit) {
    while (!ended_) wait_once();
    const ExitStatus status = TRY(process_->status());
    bounds_.kill_all();
    kill_descendants();
    logs_.drain();
    events_.drain();
    if (!limit_) limit_ = bounds_.look_at_end(told_bytes());
    const auto peak = bounds_.peak_bytes();
    exit.stop = cause_;
    if (cause_ == StopCause::scheduler) exit.scheduler = holder_ended_ ? kHolderGone : slurm_->last_word();
    exit.limit = limit_;
    exit.user_us = status.user_us;
    exit.system_us = status.system_us;
    exit.peak_bytes = peak.value_or(status.peak_bytes);
    exit.read_bytes = status.read_bytes;
    exit.written_bytes = status.written_bytes;
    if (logs_.trouble()) return within("the logs are incomplete", *logs_.trouble());
    TRY(events_.sync());
    exit.code = status.code;
    exit.signal = status.signal;
    return {};
  }

 private:
  void wait_once() {
    pollfd ready[] = {{signals_.get(), POLLIN, 0},
                      {logs_.read_end(0), POLLIN, 0},
                      {logs_.read_end(1), POLLIN, 0},
                      {events_.read_end(), POLLIN, 0},
                      {slurm_ != nullptr && !holder_ended_ ? slurm_->holder_end() : -1, POLLIN, 0}};
    poll_until(ready, next_deadline());
    for (std::size_t stream = 0; stream < LogPump::kStreams; ++stream) {
      if (ready[stream + 1].revents != 0) logs_.carry(stream);
    }
    if (ready[3].revents != 0) static_cast<void>(events_.carry());
    if (ready[0].revents != 0) hear();
    if (ready[4].revents != 0) {
      holder_ended_ = true;
      stop(StopCause::scheduler, milliseconds(0));
    }
    const SteadyTime time = std::chrono::steady_clock::now();
    if (stop_at_ && time >= *stop_at_) stop(StopCause::max_runtime, grace_);
    if (kill_at_ && time >= *kill_at_) kill_job();
    if (!ended_ && !killed_ && time >= bounds_.next_look()) look_at_limits();
  }

  [[nodiscard]] SteadyTime next_deadline() const {
    const SteadyTime look = killed_ ? SteadyTime::max() : bounds_.next_look();
    return std::min(look, kill_at_ ? *kill_at_ : stop_at_.value_or(SteadyTime::max()));
  }

  [[nodiscard]] std::int64_t told_bytes() const {
    return static_cast<std::int64_t>(logs_.written_bytes() + events_.written_bytes());
  }

  void look_at_limits() {
    limit_ = bounds_.look(told_bytes());
    // Whoever takes more than there is gets no time to go on with it.
    if (limit_) kill_job();
  }

  void hear() {
    signalfd_siginfo heard{};
    while (::read(signals_.get(), &heard, sizeof(heard)) == sizeof(heard)) {
      const int number = static_cast<int>(heard.ssi_signo);
      if (number == SIGCHLD) {
        reap();
      } else if (number == SIGTERM && slurm_ != nullptr) {
        stop(StopCause::scheduler, std::min(grace_, kGraceOfSlurm));
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
    if (first && grace.count() > 0) process_->ask_to_stop();
    if (!kill_at_ || after(grace) < *kill_at_) kill_at_ = after(grace);
  }

  void kill_job() {
    stop_at_.reset();
    kill_at_.reset();
    killed_ = true;
    process_->kill();
  }

  // Waits for the orphans that have ended. The job's own process is only noted: it is waited for in `finish`.
  void reap() {
    for (;;) {
      siginfo_t child{};
      if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 || child.si_pid == 0) return;
      if (child.si_pid == process_->pid()) {
        ended_ = true;
        return;
      }
      static_cast<void>(::waitpid(child.si_pid, nullptr, WNOHANG));
    }
  }

  const JobSpec& job_;
  const SlurmAllocation* slurm_;
  bool holder_ended_ = false;
  milliseconds grace_;
  UniqueFd signals_;
  LogPump logs_;
  EventPump events_;
  JobBounds bounds_;
  std::optional<JobProcess> process_;
  std::optional<LimitHit> limit_;
  std::optional<SteadyTime> stop_at_;  // until something stops the job
  std::optional<SteadyTime> kill_at_;  // from then on until it is killed
  StopCause cause_ = StopCause::none;
  bool killed_ = false;
  bool ended_ = false;
};

Result<void> run_job(const JobFolder& folder, UniqueFd signals, const SlurmAllocation* slurm, JobExit& exit) {
  TRY(adopt_orphans());
  JobSpec job = TRY(folder.read_job());
  if (slurm != nullptr) TRY(take_from(*slurm, job));
  const Secrets secrets = TRY(take_secrets(job, folder, slurm));
  const SecretForms hidden(secrets);
  LogPump logs = TRY(LogPump::open(folder, hidden));
  if (!is_folder(job.working_directory))
    return fail(Errc::invalid, "the working directory '" + job.working_directory + "' is not a folder");
  TRY(make_channel(folder));
  EventPump events = TRY(EventPump::open(folder, hidden));
  JobBounds bounds = TRY(JobBounds::begin(job, folder));
  exit.started_at = now();
  Supervision supervision(job, std::move(signals), std::move(logs), std::move(events), std::move(bounds), slurm);
  TRY(supervision.start(folder, environment_of(job, secrets), exit));
  return supervision.finish(exit);
}

Result<bool> is_ours(const JobFolder& folder, const std::string& claimant) {
  return TRY(claim_job(folder, claimant)) == claimant;
}

int supervise_as(const Path& run_folder, const std::string& claimant, const SlurmAllocation* slurm) {
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-super", 0, 0, 0));
  // The job has another working directory.
  const JobFolder folder(boost::filesystem::absolute(run_folder));
  JobExit exit;
  exit.started_at = now();
  // From the claim on, whoever wants to stop the job sends a signal.
  auto signals = open_signals();
  const auto ours = is_ours(folder, claimant);
  if (ours.ok() && !*ours) return kDone;
  Result<void> done = !ours.ok()      ? ours.error()
                      : !signals.ok() ? signals.error()
                                      : run_job(folder, std::move(*signals), slurm, exit);
  if (!done.ok()) {
    exit.code.reset();
    exit.signal.reset();
    exit.disk_full = done.error().code == Errc::unavailable;
    exit.failure = std::string(utf8_prefix(utf8_cleaned(done.error().message), limits::kReasonCharacters));
  }
  for (const Path& used : {folder.channel(), folder.root(), folder.cgroups()}) static_cast<void>(remove_tree(used));
  exit.ended_at = now();
  return report_exit(folder, exit).ok() ? kDone : kTrouble;
}

}  // namespace

int supervise(const Path& run_folder) {
  const auto self = ProcessIdentity::of(::getpid());
  if (!self.ok()) return kTrouble;
  return supervise_as(run_folder, self->text(), nullptr);
}

namespace {

int complain_and_fail(const Error& error) {
  std::fputs(("trainyard-worker: " + error.message + "\n").c_str(), stderr);
  return kTrouble;
}

Result<std::string> folder_of(const SlurmAllocation& slurm, const Path& folders) {
  constexpr std::size_t kMost = std::size_t{64} << 20U;
  const std::string text = TRY(read_file(folders, kMost));
  std::size_t begin = 0;
  for (std::uint64_t i = 0; slurm.claim().job.index && begin < text.size(); ++i) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    if (i == *slurm.claim().job.index) return text.substr(begin, end - begin);
    begin = end + 1;
  }
  return fail(Errc::invalid, "'" + folders.string() + "' has no folder for this element of the array");
}

}  // namespace

int supervise_in_slurm(const Path& run_folder) {
  const auto allocation = SlurmAllocation::of_this_process();
  if (!allocation.ok()) return complain_and_fail(allocation.error());
  return supervise_as(run_folder, allocation->claim().text(), &*allocation);
}

int supervise_in_slurm_array(const Path& folders) {
  const auto allocation = SlurmAllocation::of_this_process();
  if (!allocation.ok()) return complain_and_fail(allocation.error());
  const auto folder = folder_of(*allocation, folders);
  if (!folder.ok()) return complain_and_fail(folder.error());
  return supervise_as(*folder, allocation->claim().text(), &*allocation);
}

}  // namespace trainyard
