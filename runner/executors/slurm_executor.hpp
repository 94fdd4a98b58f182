// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "runner/executors/executor.hpp"
#include "runner/executors/slurm_queue.hpp"
#include "runner/jobs/job_folder.hpp"

namespace trainyard {

// What a SlurmExecutor needs to know of its cluster and its store.
struct SlurmSettings {
  Path worker;                                     // trainyard-worker, under the same path on every node
  Path folder;                                     // of the store, for what all who use it know of the queue
  std::map<std::string, std::string> environment;  // of this process
  // Slurm is asked for the state of all jobs together, and not more often than this.
  std::chrono::milliseconds between_looks{3000};
  // Jobs that are alike and are started within so long of each other become one array, for which Slurm's controller is asked
  // once. Zero: each job goes by itself.
  std::chrono::milliseconds gathering{0};
  // How long one of Slurm's programs may take to answer. Its own MessageTimeout is 10 seconds.
  std::chrono::milliseconds patience{20'000};
  // On a disk that several machines share a file may be seen on one some time after it was written on another: so long may
  // exit.json be missing after Slurm has let go of a job.
  std::chrono::milliseconds late_files{30'000};
};

// Which element of an array a job is: the file slurm.array of its folder, a line each.
struct SlurmArrayPart {
  std::string name;         // of the array, by which it is found again
  std::uint64_t index = 0;  // in it
  std::string log;          // what Slurm itself says of the job

  [[nodiscard]] std::string text() const;
  static Result<SlurmArrayPart> parse(const std::string& text);
};

// Runs each job where the Slurm of this machine's cluster puts it. The folders of the store and the programs of Trainyard
// must be under the same paths on all nodes. In a job folder it leaves, beside what jobs leave anywhere:
//
//   slurm.sh       what sbatch is given: a shell that becomes the supervisor
//   slurm.log      what Slurm itself says of the job
//   slurm.secrets  the values of its secrets, sealed, until the job has read them
//   slurm.array    instead of the script and the log: the array that the job is part of, as SlurmArrayPart has it
//
// Only the supervisor that holds the claim of the folder runs its job, so a job that Slurm begins a second time, while its
// first processes may still live, does nothing.
class SlurmExecutor final : public Executor {
 public:
  explicit SlurmExecutor(SlurmSettings settings);

  Result<JobId> start(const Path& run_folder, const Secrets& secrets) override;
  Result<std::optional<JobId>> recall(const Path& run_folder) override;
  Result<JobLook> look(const JobId& job, const Path& run_folder) override;
  Result<void> stop(const JobId& job, const Path& run_folder, StopForce force) override;
  [[nodiscard]] std::chrono::microseconds longest_pause(const JobId& job) const override;

 private:
  struct Submission {
    JobFolder folder;
    JobSpec job;
    std::optional<Result<SlurmJobId>> answer;
  };

  Result<SlurmJobId> submit(const Submission& one, const Secrets& secrets);
  // Waits for others to submit with it.
  Result<SlurmJobId> submit_gathered(Submission one);
  // Answers all of them.
  void submit_together(const std::vector<Submission*>& gathered);
  Result<SlurmJobId> submit_array(const std::vector<Submission*>& alike);
  [[nodiscard]] Result<std::optional<SlurmJobId>> find_submitted(const JobFolder& folder) const;
  // At one that is not among those that are not over, or that waits although it has begun.
  Result<JobLook> look_at_gone(const SlurmJobId& job, const JobFolder& folder);
  [[nodiscard]] bool has_waited_for_files(const SlurmJobId& job);

  SlurmSettings settings_;
  SlurmCommands commands_;
  SlurmQueue queue_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::vector<Submission*> gathered_;                                         // by those who wait for an answer
  std::map<SlurmJobId, Instant> submitted_at_;                                // by this object
  std::map<SlurmJobId, std::chrono::steady_clock::time_point> missed_since_;  // those that Slurm has let go of
};

}  // namespace trainyard
