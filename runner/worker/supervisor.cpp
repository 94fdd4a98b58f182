// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/supervisor.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstdio>

#include "runner/core/ranks.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/processes/clock.hpp"
#include "runner/processes/poll_until.hpp"
#include "runner/processes/process.hpp"
#include "runner/processes/process_identity.hpp"
#include "runner/worker/conductor.hpp"
#include "runner/worker/descendants.hpp"
#include "runner/worker/event_pump.hpp"
#include "runner/worker/exit_codes.hpp"
#include "runner/worker/exit_report.hpp"
#include "runner/worker/isolation_probe.hpp"
#include "runner/worker/job_bounds.hpp"
#include "runner/worker/job_process.hpp"
#include "runner/worker/job_secrets.hpp"
#include "runner/worker/log_pump.hpp"
#include "runner/worker/rank_start.hpp"
#include "runner/worker/slurm_allocation.hpp"
#include "runner/worker/stop_signals.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenBeats{3000};

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

  // From now on whoever sees none of these processes is shown by a file that changes that they are there.
  void show_pulse(const Path& file) {
    pulse_ = file;
    beat_at_ = std::chrono::steady_clock::now();
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
    if (cause_ == StopCause::scheduler) exit.scheduler = slurm_->last_word();
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
    if (time >= beat_at_) beat();
    if (!ended_ && !killed_ && time >= bounds_.next_look()) look_at_limits();
  }

  [[nodiscard]] SteadyTime next_deadline() const {
    const SteadyTime look = killed_ ? SteadyTime::max() : bounds_.next_look();
    return std::min({look, beat_at_, kill_at_ ? *kill_at_ : stop_at_.value_or(SteadyTime::max())});
  }

  // A disk that is full for a while makes a pulse miss some beats.
  void beat() {
    beat_at_ = after(kBetweenBeats);
    const auto file = open_file(pulse_, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file.ok()) static_cast<void>(write_all(file->get(), std::to_string(++beats_), pulse_));
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
        stop(StopCause::scheduler, std::min(grace_, kGraceInSlurm));
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
  Path pulse_;
  SteadyTime beat_at_ = SteadyTime::max();
  std::uint64_t beats_ = 0;
};

// Which of a job's workers this is, where it has several: what it is told of the others, and of its node.
Result<void> take_place(int rank, JobSpec& job, JobExit& exit) {
  if (job.placement.executor == ExecutorKind::slurm) {
    const SlurmAllocation node = TRY(SlurmAllocation::of_this_process());
    TRY(take_from(node, job));
  }
  const WorkerMeeting meeting = TRY(meeting_of(job));
  if (rank < 0 || static_cast<std::size_t>(rank) >= meeting.hosts.size()) {
    return fail(Errc::invalid,
                "there is no worker " + std::to_string(rank) + " of " + std::to_string(meeting.hosts.size()));
  }
  exit.rank = JobRank{rank, meeting.hosts[static_cast<std::size_t>(rank)]};
  for (auto& [name, value] : rank_environment(rank, meeting)) job.environment[name] = value;
  return {};
}

// Who supervises, and what.
struct Supervisor {
  JobFolder folder;
  std::string claimant;
  const SlurmAllocation* slurm =
      nullptr;  // of a process that Slurm began, but for a worker of several: those are stopped by the one above
  std::optional<int> rank = std::nullopt;
  std::optional<Path> stop_of_ranks = std::nullopt;
  bool shows_pulse = false;  // to the one above, who is on another node
};

Result<void> run_job(const Supervisor& self, UniqueFd signals, JobExit& exit) {
  const JobFolder& folder = self.folder;
  TRY(adopt_orphans());
  JobSpec job = TRY(folder.read_job());
  if (self.slurm != nullptr) TRY(take_from(*self.slurm, job));
  if (self.rank) TRY(take_place(*self.rank, job, exit));
  const Secrets secrets = TRY(take_secrets(job, folder, self.slurm));
  const SecretForms hidden(secrets);
  LogPump logs = TRY(LogPump::open(folder, hidden));
  if (!is_folder(job.working_directory))
    return fail(Errc::invalid, "the working directory '" + job.working_directory + "' is not a folder");
  TRY(make_channel(folder));
  EventPump events = TRY(EventPump::open(folder, hidden));
  JobBounds bounds = TRY(JobBounds::begin(job, folder));
  exit.started_at = now();
  Supervision supervision(job, std::move(signals), std::move(logs), std::move(events), std::move(bounds), self.slurm);
  if (self.shows_pulse) supervision.show_pulse(folder.pulse());
  TRY(supervision.start(folder, environment_of(job, secrets), exit));
  auto finished = supervision.finish(exit);
  // Slurm hands a signal to every process of a worker, whose job may end of it before anybody here has heard of it.
  if (self.stop_of_ranks && exit.stop == StopCause::none && !exit.limit && is_there(*self.stop_of_ranks))
    exit.stop = StopCause::asked;
  return finished;
}

int supervise_as(const Supervisor& self) {
  const JobFolder& folder = self.folder;
  JobExit exit;
  exit.started_at = now();
  // From the claim on, whoever wants to stop the job sends a signal.
  auto signals = open_stop_signals();
  const auto claimed = claim_job(folder, self.claimant);
  if (claimed.ok() && *claimed != self.claimant) return kDone;
  Result<void> done = !claimed.ok()   ? claimed.error()
                      : !signals.ok() ? signals.error()
                                      : run_job(self, std::move(*signals), exit);
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

// The job, or all of its workers.
int supervise_whole(const Path& run_folder, const std::string& claimant, const SlurmAllocation* slurm) {
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-super", 0, 0, 0));
  // The job has another working directory.
  const JobFolder folder(boost::filesystem::absolute(run_folder));
  const auto job = folder.read_job();
  if (job.ok() && job->placement.nodes.value_or(1) > 1) return conduct(folder, *job, claimant, slurm);
  return supervise_as({folder, claimant, slurm});
}

}  // namespace

int supervise(const Path& run_folder) {
  const auto self = ProcessIdentity::of(::getpid());
  if (!self.ok()) return kTrouble;
  return supervise_whole(run_folder, self->text(), nullptr);
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
  return supervise_whole(run_folder, allocation->claim().text(), &*allocation);
}

int supervise_rank(const Path& run_folder, int rank, pid_t parent) {
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-super", 0, 0, 0));
  // The signal waits until somebody listens.
  const auto blocked = open_stop_signals();
  static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
  if (parent != 0 && ::getppid() != parent) static_cast<void>(::raise(SIGUSR1));
  const auto self = ProcessIdentity::of(::getpid());
  if (!self.ok()) return kTrouble;
  const Path folder = boost::filesystem::absolute(run_folder);
  return supervise_as(
      {JobFolder::of_rank(folder, rank), self->text(), nullptr, rank, JobFolder::stop_of_ranks(folder), parent == 0});
}

int supervise_in_slurm_array(const Path& folders) {
  const auto allocation = SlurmAllocation::of_this_process();
  if (!allocation.ok()) return complain_and_fail(allocation.error());
  const auto folder = folder_of(*allocation, folders);
  if (!folder.ok()) return complain_and_fail(folder.error());
  return supervise_whole(*folder, allocation->claim().text(), &*allocation);
}

}  // namespace trainyard
