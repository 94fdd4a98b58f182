// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/slurm_executor.hpp"

#include <boost/filesystem/operations.hpp>

#include "runner/jobs/sealed_secrets.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// Everything that varies reaches it as arguments.
constexpr std::string_view kScript = "#!/bin/sh\nexec \"$@\"\n";

constexpr std::size_t kLargestLog = std::size_t{16} << 20U;

JobFolder slurm_job_folder(const Path& run_folder) { return JobFolder(boost::filesystem::absolute(run_folder)); }

Path script_of(const JobFolder& folder) { return folder.path() / "slurm.sh"; }
Path log_of(const JobFolder& folder) { return folder.path() / "slurm.log"; }

// Who holds the claim of a folder.
enum class Claimant { nobody, this_job, another };

Result<Claimant> claimant_of(const JobFolder& folder, const SlurmJobId& job) {
  const auto text = TRY(folder.read_claim());
  if (!text) return Claimant::nobody;
  const auto claim = SlurmClaim::parse(*text);
  return claim.ok() && claim->job == job ? Claimant::this_job : Claimant::another;
}

// What a job leaves that will never begin.
Result<void> end_before_beginning(const JobFolder& folder) {
  JobExit exit;
  exit.failure = "it was stopped before it began";
  exit.stop = StopCause::asked;
  exit.started_at = now();
  exit.ended_at = exit.started_at;
  const auto told = publish_file(folder.path(), folder.exit(), readable(to_json(exit)), 0644, Durable::yes);
  if (!told.ok() && told.error().code != Errc::exists) return told;
  return {};
}

// The last that Slurm itself, or the shell, said of a job that did not even begin.
std::string last_words_in(const Path& log) {
  const auto text = read_file(log, kLargestLog);
  if (!text.ok() || text->empty()) return "";
  std::string_view rest = *text;
  while (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
  const std::size_t begin = rest.rfind('\n');
  if (begin != std::string_view::npos) rest.remove_prefix(begin + 1);
  return std::string(utf8_prefix(utf8_cleaned(rest), 500));
}

}  // namespace

SlurmExecutor::SlurmExecutor(SlurmSettings settings)
    : settings_(std::move(settings)),
      commands_(settings_.environment, settings_.patience),
      queue_(commands_, settings_.folder, settings_.between_looks) {}

std::chrono::microseconds SlurmExecutor::longest_pause(const JobId& /*job*/) const {
  return std::min<std::chrono::microseconds>(settings_.between_looks, std::chrono::milliseconds(500));
}

Result<std::optional<SlurmJobId>> SlurmExecutor::find_submitted(const JobFolder& folder) const {
  std::optional<SlurmJobId> newest;
  for (const SlurmQueueEntry& entry : TRY(commands_.queue(slurm_job_name(folder.path().string()))))
    newest = std::max(newest, std::optional(entry.job));
  return newest;
}

Result<JobId> SlurmExecutor::start(const Path& run_folder, const Secrets& secrets) {
  const JobFolder folder = slurm_job_folder(run_folder);
  const JobSpec job = TRY(folder.read_job());
  TRY(folder.reserve_exit());
  // A call before this one may have been heard although no answer came.
  if (is_there(script_of(folder))) {
    if (const auto known = TRY(find_submitted(folder))) return known->job();
  }
  std::string key;
  if (!secrets.empty()) {
    const SealedSecrets sealed = TRY(seal(secrets));
    TRY(replace_file(folder.path(), folder.sealed_secrets(), sealed.text, 0600, Durable::no));
    key = sealed.key;
  }
  TRY(replace_file(folder.path(), script_of(folder), kScript, 0644, Durable::no));
  const auto options = sbatch_options(job, slurm_job_name(folder.path().string()), log_of(folder).string());
  const std::vector<std::string> argv = {settings_.worker.string(), "supervise-in-slurm", folder.path().string()};
  const Instant time = now();
  const SlurmJobId submitted = TRY(commands_.submit(options, script_of(folder), argv, key));
  const std::lock_guard lock(mutex_);
  submitted_at_[submitted] = time;
  return submitted.job();
}

Result<std::optional<JobId>> SlurmExecutor::recall(const Path& run_folder) {
  const JobFolder folder = slurm_job_folder(run_folder);
  auto claim = TRY(folder.read_claim());
  if (!claim) {
    if (const auto submitted = TRY(find_submitted(folder))) return std::optional(submitted->job());
    claim = TRY(claim_job(folder, kAbandoned));
  }
  if (*claim == kAbandoned) return std::optional<JobId>();
  const auto known = SlurmClaim::parse(*claim);
  if (!known.ok()) return fail(Errc::corrupt, "'" + folder.claim().string() + "': " + known.error().message);
  return std::optional(known->job.job());
}

Result<JobLook> SlurmExecutor::look(const JobId& job, const Path& run_folder) {
  const SlurmJobId id = TRY(SlurmJobId::parse(job));
  const JobFolder folder = slurm_job_folder(run_folder);
  if (auto exit = TRY(folder.read_exit())) return JobLook(std::move(*exit));
  const Claimant claimant = TRY(claimant_of(folder, id));
  if (claimant == Claimant::another) return look_at_gone(id, folder, std::nullopt);
  const auto view = queue_.look();
  if (!view.ok() && claimant == Claimant::this_job) return JobLook(JobRunning{});
  if (!view.ok()) return JobLook(JobWaiting{view.error().message});
  const auto found = view->jobs.find(id);
  // Of another cluster, or of the one that this had been before somebody made it anew.
  const bool ours = found != view->jobs.end() && found->second.entry.name == slurm_job_name(folder.path().string());
  if (!ours) {
    const std::lock_guard lock(mutex_);
    const auto submitted = submitted_at_.find(id);
    if (submitted != submitted_at_.end() && view->taken_at <= submitted->second)
      return JobLook(JobWaiting{"it was given to Slurm as job " + id.text()});
  }
  if (!ours) return look_at_gone(id, folder, std::nullopt);
  const auto& [entry, before] = found->second;
  const SlurmPhase phase = phase_of(entry);
  if (phase == SlurmPhase::ended) return look_at_gone(id, folder, entry);
  if (phase == SlurmPhase::waiting && claimant == Claimant::nobody)
    return JobLook(JobWaiting{slurm_wait(entry, before)});
  // Slurm begins it a second time.
  if (phase == SlurmPhase::waiting) return look_at_gone(id, folder, entry);
  const std::lock_guard lock(mutex_);
  missed_since_.erase(id);
  return JobLook(JobRunning{});
}

bool SlurmExecutor::has_waited_for_files(const SlurmJobId& job) {
  const std::lock_guard lock(mutex_);
  const auto time = std::chrono::steady_clock::now();
  const auto since = missed_since_.emplace(job, time).first->second;
  return time - since >= settings_.late_files;
}

Result<JobLook> SlurmExecutor::look_at_gone(const SlurmJobId& job, const JobFolder& folder,
                                            const std::optional<SlurmQueueEntry>& entry) {
  const Claimant claimant = TRY(claimant_of(folder, job));
  if (claimant != Claimant::another && !has_waited_for_files(job)) return JobLook(JobRunning{});
  // A client of NFS asks its server again for the names in a folder that is opened (close-to-open consistency, nfs(5)).
  static_cast<void>(list_folder(folder.path()));
  if (auto exit = TRY(folder.read_exit())) return JobLook(std::move(*exit));
  // If it had not begun, it never will.
  if (claimant == Claimant::nobody && TRY(claim_job(folder, kAbandoned)) != kAbandoned) return JobLook(JobRunning{});
  return JobLook(JobLost{lost_in_slurm(job, entry, last_words_in(log_of(folder)))});
}

Result<void> SlurmExecutor::stop(const JobId& job, const Path& run_folder, StopForce force) {
  const SlurmJobId id = TRY(SlurmJobId::parse(job));
  const JobFolder folder = slurm_job_folder(run_folder);
  if (TRY(folder.read_exit())) return {};
  const std::string claim = TRY(claim_job(folder, kAbandoned));
  if (claim == kAbandoned) {
    TRY(end_before_beginning(folder));
    // It does nothing when Slurm begins it all the same.
    static_cast<void>(commands_.cancel(id));
    return {};
  }
  const auto view = queue_.look();
  const auto found = view.ok() ? view->jobs.find(id) : std::map<SlurmJobId, SlurmQueueView::Seen>::const_iterator();
  const bool gone = view.ok() && (found == view->jobs.end() || phase_of(found->second.entry) != SlurmPhase::running);
  if (gone && force == StopForce::now) return commands_.cancel(id);
  return commands_.signal(id, force == StopForce::polite ? "INT" : "USR1");
}

}  // namespace trainyard
