// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/local_executor.hpp"

#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "runner/jobs/job_folder.hpp"
#include "runner/jobs/secrets_in_memory.hpp"
#include "runner/processes/cgroup_end.hpp"
#include "runner/processes/own_environment.hpp"
#include "runner/processes/process_identity.hpp"

namespace trainyard {

namespace {

constexpr const char* kGone = "the process that supervised the job is gone and left no word about its end";

JobFolder job_folder(const Path& run_folder) { return JobFolder(boost::filesystem::absolute(run_folder)); }

Result<void> clear_folder(const JobFolder& folder) {
  TRY(remove_listed_cgroups(folder.cgroups()));
  for (const Path& used : {folder.channel(), folder.root(), folder.cgroups()}) TRY(remove_tree(used));
  return {};
}

// What a supervisor that was killed could not end and remove itself; of a job with several workers, what theirs could not
// either.
Result<void> clear_after(const ProcessIdentity& supervisor, const JobFolder& folder) {
  kill_session_of(supervisor);
  TRY(clear_folder(folder));
  for (const int rank : TRY(folder.ranks())) TRY(clear_folder(JobFolder::of_rank(folder.path(), rank)));
  return {};
}

}  // namespace

LocalExecutor::~LocalExecutor() {
  reap();
  for (Process& supervisor : supervisors_) supervisor.detach();
}

Result<JobId> LocalExecutor::start(const Path& run_folder, const Secrets& secrets) {
  reap();
  TRY(job_folder(run_folder).reserve_exit());
  SpawnOptions options;
  const UniqueFd hidden = TRY(secrets_in_memory(secrets));
  options.in = hidden.get();
  options.argv = {worker_.string(), "supervise", job_folder(run_folder).path().string()};
  options.environment = {{"PATH", kUsualPath}};
  options.group = SpawnOptions::Group::own_session;
  // A stop that comes before the supervisor listens waits for it.
  options.blocked_signals = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1};
  Process supervisor = TRY(Process::spawn(options));
  // Not waited for yet, so it has an identity even if it has already ended.
  const ProcessIdentity identity = TRY(ProcessIdentity::of(supervisor.pid()));
  const std::lock_guard lock(mutex_);
  supervisors_.push_back(std::move(supervisor));
  return JobId{identity.text()};
}

Result<std::optional<JobId>> LocalExecutor::recall(const Path& run_folder) {
  const JobFolder folder = job_folder(run_folder);
  const std::string claimant = TRY(claim_job(folder, kAbandoned));
  if (claimant == kAbandoned) return std::optional<JobId>();
  const auto identity = ProcessIdentity::parse(claimant);
  if (!identity.ok()) return fail(Errc::corrupt, "'" + folder.claim().string() + "': " + identity.error().message);
  return std::optional(JobId{claimant});
}

Result<JobLook> LocalExecutor::look(const JobId& job, const Path& run_folder) {
  reap();
  const JobFolder folder = job_folder(run_folder);
  const ProcessIdentity supervisor = TRY(ProcessIdentity::parse(job.text));
  // Asked before the file, so that a supervisor that ends in between has been given the time to write it.
  const bool running = is_running(supervisor);
  const auto exit = TRY(folder.read_exit());
  if (exit) return JobLook(*exit);
  if (running) return JobLook(JobRunning{});
  return JobLook(JobLost{outcome(RunReason::lost, kGone)});
}

Result<void> LocalExecutor::stop(const JobId& job, const Path& run_folder, StopForce force) {
  const ProcessIdentity supervisor = TRY(ProcessIdentity::parse(job.text));
  if (force == StopForce::now && !is_running(supervisor)) return clear_after(supervisor, job_folder(run_folder));
  return signal_process(supervisor, force == StopForce::polite ? SIGTERM : SIGUSR1);
}

void LocalExecutor::reap() {
  const std::lock_guard lock(mutex_);
  std::erase_if(supervisors_, [](Process& supervisor) {
    const auto status = supervisor.wait(std::chrono::milliseconds(0));
    return status.ok() && status->has_value();
  });
}

}  // namespace trainyard
