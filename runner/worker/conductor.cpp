// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/conductor.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "runner/core/outcome.hpp"
#include "runner/core/ranks.hpp"
#include "runner/jobs/event_tail.hpp"
#include "runner/jobs/secrets_in_memory.hpp"
#include "runner/processes/cgroup_end.hpp"
#include "runner/processes/clock.hpp"
#include "runner/processes/poll_until.hpp"
#include "runner/worker/descendants.hpp"
#include "runner/worker/exit_codes.hpp"
#include "runner/worker/exit_report.hpp"
#include "runner/worker/job_secrets.hpp"
#include "runner/worker/rank_start.hpp"
#include "runner/worker/stop_signals.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

// Ends that no process of this machine tells of are looked for.
constexpr milliseconds kBetweenLooks{250};
// For a supervisor to end what its job started, once the grace is over; after that nobody waits for it.
constexpr milliseconds kLongestEnding{30'000};
// Until a file that another node wrote as its last act is seen here: what network file systems remember of a folder in
// which it was not there.
constexpr milliseconds kLongestDelay{10'000};

milliseconds steady_milliseconds() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

class Conducting {
 public:
  Conducting(const JobFolder& folder, const JobSpec& job, UniqueFd signals, const SlurmAllocation* slurm)
      : folder_(folder), grace_(job.grace_ms), signals_(std::move(signals)), slurm_(slurm) {}

  Result<void> start(const JobSpec& job) {
    const std::unique_ptr<RankStart> ranks = ranks_here(job);
    const int workers = job.placement.nodes.value_or(1);
    WorkerMeeting meeting;
    meeting.hosts = TRY(ranks->hosts(workers));
    meeting.port = TRY(free_port());
    for (int rank = 0; rank < workers; ++rank) {
      const JobFolder one = JobFolder::of_rank(folder_.path(), rank);
      TRY(make_folders(one.exit().parent_path()));
      TRY(one.reserve_exit());
      pulses_.emplace_back(steady_milliseconds());
      workers_.push_back({{rank, meeting.hosts[static_cast<std::size_t>(rank)]}, std::nullopt, false, {}});
      ended_.push_back(false);
    }
    // Every supervisor reads them anew from the beginning.
    const UniqueFd secrets = TRY(secrets_in_memory(TRY(take_secrets(job, folder_, slurm_))));
    processes_ = TRY(ranks->start(folder_.path(), meeting, secrets.get()));
    gone_at_.resize(processes_.size());
    return {};
  }

  JobExit finish() {
    while (!over()) wait_once();
    kill_descendants();
    for (const RankEnd& worker : workers_) {
      const JobFolder one = JobFolder::of_rank(folder_.path(), worker.rank.number);
      if (worker.exit) continue;
      static_cast<void>(remove_listed_cgroups(one.cgroups()));
      for (const Path& used : {one.channel(), one.root(), one.cgroups()}) static_cast<void>(remove_tree(used));
    }
    JobExit exit = combined_exit(workers_);
    // Whoever was stopped does not know by whom.
    if (by_slurm_ && exit.stop == StopCause::asked && !exit.limit && !exit.failure) {
      exit.stop = StopCause::scheduler;
      exit.scheduler = slurm_->last_word();
    }
    return exit;
  }

 private:
  static std::unique_ptr<RankStart> ranks_here(const JobSpec& job) {
    return job.placement.executor == ExecutorKind::slurm ? ranks_of_slurm() : ranks_on_this_machine();
  }

  [[nodiscard]] bool all_ended() const { return std::find(ended_.begin(), ended_.end(), false) == ended_.end(); }

  [[nodiscard]] bool over() const {
    return all_ended() &&
           std::all_of(gone_at_.begin(), gone_at_.end(), [](const auto& gone) { return gone.has_value(); });
  }

  void wait_once() {
    std::vector<pollfd> ready = {{signals_.get(), POLLIN, 0}};
    for (std::size_t i = 0; i < processes_.size(); ++i)
      ready.push_back({gone_at_[i] ? -1 : processes_[i].process.end_fd(), POLLIN, 0});
    ready.push_back({slurm_ != nullptr && !holder_ended_ ? slurm_->holder_end() : -1, POLLIN, 0});
    SteadyTime deadline = after(kBetweenLooks);
    for (const auto& moment : {hurry_at_, end_at_}) deadline = std::min(deadline, moment.value_or(deadline));
    poll_until(ready, deadline);
    if (ready.front().revents != 0) hear();
    if (ready.back().revents != 0) {
      holder_ended_ = true;
      by_slurm_ = by_slurm_ || stopped_by_ == 0;
      stop(SIGUSR1);
    }
    if (hurry_at_ && std::chrono::steady_clock::now() >= *hurry_at_) stop(SIGUSR1);
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (gone_at_[i]) continue;
      const auto status = processes_[i].process.wait(milliseconds(0));
      if (!status.ok() || *status) gone_at_[i] = std::chrono::steady_clock::now();
    }
    for (std::size_t i = 0; i < processes_.size(); ++i) look(i);
    // A process that starts others elsewhere does not know that the last of them is gone.
    if (all_ended()) end_at_ = std::min(end_at_.value_or(SteadyTime::max()), after(kLongestDelay));
    if (end_at_ && std::chrono::steady_clock::now() >= *end_at_) {
      end_at_.reset();
      for (StartedRanks& started : processes_) static_cast<void>(started.process.signal(SIGKILL));
    }
  }

  void look(std::size_t index) {
    const StartedRanks& started = processes_[index];
    // Whose supervisor is that process itself, and not another one on another node.
    const bool here = started.step.empty();
    for (const int rank : started.ranks) {
      if (ended_[static_cast<std::size_t>(rank)]) continue;
      // Asked for the time before the file, so that one that is written in between is found.
      const bool waited =
          gone_at_[index] && (here || std::chrono::steady_clock::now() - *gone_at_[index] > kLongestDelay);
      // As long as it is there, it has not written the file.
      if (here && !gone_at_[index]) continue;
      const JobFolder one = JobFolder::of_rank(folder_.path(), rank);
      auto exit = one.read_exit();
      const bool silent = !here && !gone_at_[index] && !feels_pulse(rank, one);
      if (exit.ok() && !*exit && !waited && !silent) continue;
      std::optional<JobExit> told = exit.ok() ? std::move(*exit) : std::nullopt;
      const milliseconds ago =
          here || told ? milliseconds(0) : steady_milliseconds() - pulses_[static_cast<std::size_t>(rank)].felt_at();
      note(rank, std::move(told), ago);
    }
  }

  // srun says nothing of a slurmstepd that is gone.
  bool feels_pulse(int rank, const JobFolder& one) {
    constexpr std::size_t kMostDigits = 32;
    const auto beats = read_file(one.pulse(), kMostDigits);
    return pulses_[static_cast<std::size_t>(rank)].is_felt(beats.ok() ? *beats : std::string(), steady_milliseconds());
  }

  // How a worker ended, so long `ago`: those that miss it may be heard of before.
  void note(int rank, std::optional<JobExit> exit, milliseconds ago) {
    RankEnd& end = workers_[static_cast<std::size_t>(rank)];
    ended_[static_cast<std::size_t>(rank)] = true;
    end.seen_at = Instant{now().microseconds - std::chrono::duration_cast<std::chrono::microseconds>(ago).count()};
    if (exit) {
      const auto word = last_word(JobFolder::of_rank(folder_.path(), rank).events());
      end.ok = judge(*exit, word.ok() ? word->ended : std::nullopt).reason == RunReason::ok;
    }
    end.exit = std::move(exit);
    if (!end.ok) stop(SIGTERM);
  }

  void hear() {
    signalfd_siginfo heard{};
    while (::read(signals_.get(), &heard, sizeof(heard)) == sizeof(heard)) {
      const int number = static_cast<int>(heard.ssi_signo);
      if (number == SIGCHLD) continue;
      if (number == SIGTERM && slurm_ != nullptr && stopped_by_ == 0) {
        by_slurm_ = true;
        hurry_at_ = after(std::min(grace_, kGraceInSlurm));
      }
      stop(number == SIGUSR1 ? SIGUSR1 : SIGTERM);
    }
  }

  // Each supervisor gives its job the grace.
  void stop(int number) {
    if (stopped_by_ == SIGUSR1 || stopped_by_ == number) return;
    stopped_by_ = number;
    if (number == SIGUSR1) hurry_at_.reset();
    end_at_ = after((number == SIGUSR1 ? milliseconds(0) : grace_) + kLongestEnding);
    static_cast<void>(publish_file(folder_.path(), JobFolder::stop_of_ranks(folder_.path()), "", 0444, Durable::no));
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (gone_at_[i]) continue;
      // Who cannot be asked is killed when the grace is over, as who does not listen is.
      if (!signal_ranks(processes_[i], number).ok() && !hurry_at_) hurry_at_ = after(grace_);
    }
  }

  const JobFolder& folder_;
  milliseconds grace_;
  UniqueFd signals_;
  const SlurmAllocation* slurm_;
  bool by_slurm_ = false;  // the first to stop the job
  bool holder_ended_ = false;
  std::optional<SteadyTime> hurry_at_;  // when Slurm's patience is over
  std::vector<StartedRanks> processes_;
  std::vector<std::optional<SteadyTime>> gone_at_;  // by process
  std::vector<RankEnd> workers_;                    // by rank
  std::vector<bool> ended_;                         // by rank
  std::optional<SteadyTime> end_at_;                // when who does not end is killed
  std::vector<Pulse> pulses_;                       // by rank
  int stopped_by_ = 0;
};

Result<JobExit> conduct_workers(const JobFolder& folder, const JobSpec& job, UniqueFd signals,
                                const SlurmAllocation* slurm) {
  TRY(adopt_orphans());
  Conducting conducting(folder, job, std::move(signals), slurm);
  if (const auto started = conducting.start(job); !started.ok()) {
    // Those that had begun are gone with what held them, and what they left is ended here.
    kill_descendants();
    return started.error();
  }
  return conducting.finish();
}

}  // namespace

int conduct(const JobFolder& folder, const JobSpec& job, const std::string& claimant, const SlurmAllocation* slurm) {
  JobExit exit;
  exit.started_at = now();
  // From the claim on, whoever wants to stop the job sends a signal.
  auto signals = open_stop_signals();
  const auto claimed = claim_job(folder, claimant);
  if (claimed.ok() && *claimed != claimant) return kDone;
  auto done = !claimed.ok()   ? Result<JobExit>(claimed.error())
              : !signals.ok() ? Result<JobExit>(signals.error())
                              : conduct_workers(folder, job, std::move(*signals), slurm);
  if (done.ok()) {
    exit = std::move(*done);
  } else {
    exit.disk_full = done.error().code == Errc::unavailable;
    exit.failure = std::string(utf8_prefix(utf8_cleaned(done.error().message), limits::kReasonCharacters));
  }
  exit.ended_at = now();
  return report_exit(folder, exit).ok() ? kDone : kTrouble;
}

}  // namespace trainyard
