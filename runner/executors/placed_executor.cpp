// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/placed_executor.hpp"

#include <boost/filesystem/operations.hpp>

#include "runner/jobs/job_folder.hpp"

namespace trainyard {

Result<Executor*> PlacedExecutor::of_folder(const Path& run_folder) const {
  const JobSpec job = TRY(JobFolder(boost::filesystem::absolute(run_folder)).read_job());
  return job.placement.executor == ExecutorKind::slurm ? slurm_ : local_;
}

Executor& PlacedExecutor::of_job(const JobId& job) const { return job.text.starts_with("slurm:") ? *slurm_ : *local_; }

Result<JobId> PlacedExecutor::start(const Path& run_folder, const Secrets& secrets) {
  return TRY(of_folder(run_folder))->start(run_folder, secrets);
}

Result<std::optional<JobId>> PlacedExecutor::recall(const Path& run_folder) {
  const auto executor = of_folder(run_folder);
  // Without its job.json a job was not started anywhere, and the claim that forbids it is the same everywhere.
  if (!executor.ok() && executor.error().code == Errc::not_found) return local_->recall(run_folder);
  return TRY(executor)->recall(run_folder);
}

Result<JobLook> PlacedExecutor::look(const JobId& job, const Path& run_folder) {
  return of_job(job).look(job, run_folder);
}

Result<void> PlacedExecutor::stop(const JobId& job, const Path& run_folder, StopForce force) {
  return of_job(job).stop(job, run_folder, force);
}

std::chrono::microseconds PlacedExecutor::longest_pause(const JobId& job) const {
  return of_job(job).longest_pause(job);
}

}  // namespace trainyard
