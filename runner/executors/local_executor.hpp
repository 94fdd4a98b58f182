// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "runner/executors/executor.hpp"
#include "runner/processes/process.hpp"

namespace trainyard {

// Runs each job on this machine, under a supervisor process of its own in a session of its own. The job's id is the
// identity of that supervisor; neither this object nor this process is needed for the job to end well.
class LocalExecutor final : public Executor {
 public:
  // `worker` is the absolute path of the program trainyard-worker.
  explicit LocalExecutor(Path worker) : worker_(std::move(worker)) {}
  ~LocalExecutor() override;

  Result<JobId> start(const Path& run_folder, const Secrets& secrets) override;
  Result<std::optional<JobId>> recall(const Path& run_folder) override;
  Result<JobLook> look(const JobId& job, const Path& run_folder) override;
  Result<void> stop(const JobId& job, const Path& run_folder, StopForce force) override;

 private:
  void reap();

  Path worker_;
  std::mutex mutex_;
  std::vector<Process> supervisors_;  // those that this process started and has not yet waited for
};

}  // namespace trainyard
