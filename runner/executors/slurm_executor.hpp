// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  // How long one of Slurm's programs may take to answer. Its own MessageTimeout is 10 seconds.
  std::chrono::milliseconds patience{20'000};
  // On a disk that several machines share a file may be seen on one some time after it was written on another: so long may
  // exit.json be missing after Slurm has let go of a job.
  std::chrono::milliseconds late_files{30'000};
};

// Runs each job where the Slurm of this machine's cluster puts it. The folders of the store and the programs of Trainyard
// must be under the same paths on all nodes. In a job folder it leaves, beside what jobs leave anywhere:
//
//   slurm.sh       what sbatch is given: a shell that becomes the supervisor
//   slurm.log      what Slurm itself says of the job
//   slurm.secrets  the values of its secrets, sealed, until the job has read them
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
  [[nodiscard]] Result<std::optional<SlurmJobId>> find_submitted(const JobFolder& folder) const;
  Result<JobLook> look_at_gone(const SlurmJobId& job, const JobFolder& folder,
                               const std::optional<SlurmQueueEntry>& entry);
  [[nodiscard]] bool has_waited_for_files(const SlurmJobId& job);

  SlurmSettings settings_;
  SlurmCommands commands_;
  SlurmQueue queue_;
  std::mutex mutex_;
  std::map<SlurmJobId, Instant> submitted_at_;                                // by this object
  std::map<SlurmJobId, std::chrono::steady_clock::time_point> missed_since_;  // those that Slurm has let go of
};

}  // namespace trainyard
