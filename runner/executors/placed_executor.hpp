// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/executors/executor.hpp"

namespace trainyard {

// Sends each job to the executor that its job.json names, and finds it there again. Both outlive this.
class PlacedExecutor final : public Executor {
 public:
  PlacedExecutor(Executor& local, Executor& slurm) : local_(&local), slurm_(&slurm) {}

  Result<JobId> start(const Path& run_folder, const Secrets& secrets) override;
  Result<std::optional<JobId>> recall(const Path& run_folder) override;
  Result<JobLook> look(const JobId& job, const Path& run_folder) override;
  Result<void> stop(const JobId& job, const Path& run_folder, StopForce force) override;
  [[nodiscard]] std::chrono::microseconds longest_pause(const JobId& job) const override;

 private:
  [[nodiscard]] Result<Executor*> of_folder(const Path& run_folder) const;
  [[nodiscard]] Executor& of_job(const JobId& job) const;

  Executor* local_;
  Executor* slurm_;
};

}  // namespace trainyard
