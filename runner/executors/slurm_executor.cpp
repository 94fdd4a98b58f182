// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/slurm_executor.hpp"

#include <boost/filesystem/operations.hpp>
#include <thread>
#include <utility>

#include "runner/jobs/sealed_secrets.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// Everything that varies reaches it as arguments.
constexpr std::string_view kScript = "#!/bin/sh\nexec \"$@\"\n";

constexpr std::size_t kLargestLog = std::size_t{16} << 20U;

JobFolder slurm_job_folder(const Path& run_folder) { return JobFolder(boost::filesystem::absolute(run_folder)); }

Path script_of(const JobFolder& folder) { return folder.path() / "slurm.sh"; }
Path array_of(const JobFolder& folder) { return folder.path() / "slurm.array"; }

// None of a job that went by itself.
std::optional<SlurmArrayPart> array_part_of(const JobFolder& folder) {
  const auto text = read_file(array_of(folder), limits::kRecordBytes);
  const auto part = text.ok() ? SlurmArrayPart::parse(*text) : text.error();
  return part.ok() ? std::optional(*part) : std::nullopt;
}

Path log_of(const JobFolder& folder) {
  const auto part = array_part_of(folder);
  return part ? Path(part->log) : folder.path() / "slurm.log";
}

std::string name_in_slurm(const JobFolder& folder) {
  const auto part = array_part_of(folder);
  return part ? part->name : slurm_job_name(folder.path().string());
}

// Whether Slurm is asked for the same, so that both may be elements of one array.
bool are_alike(const JobSpec& one, const JobSpec& other) {
  return one.placement == other.placement && one.limits == other.limits && one.gpus == other.gpus &&
         one.max_runtime_ms == other.max_runtime_ms && one.grace_ms == other.grace_ms && one.package == other.package;
}

// What is known of arrays is forgotten when no job of theirs can still be waited for.
void forget_old_arrays(const Path& arrays) {
  constexpr std::int64_t kKept = std::int64_t{400} * 24 * 3600;
  const auto names = list_folder(arrays);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const auto status = status_of(arrays / name);
    const bool old = status.ok() && *status && (*status)->st_mtime < now().microseconds / 1'000'000 - kKept;
    if (old) static_cast<void>(remove_tree(arrays / name));
  }
}

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

std::string SlurmArrayPart::text() const { return name + "\n" + std::to_string(index) + "\n" + log + "\n"; }

Result<SlurmArrayPart> SlurmArrayPart::parse(const std::string& text) {
  const std::size_t first = text.find('\n');
  const std::size_t second = first == std::string::npos ? first : text.find('\n', first + 1);
  if (second == std::string::npos || text.back() != '\n') return fail(Errc::corrupt, "a slurm.array is not whole");
  const auto index = number_in<std::uint64_t>(text.substr(first + 1, second - first - 1));
  if (!index) return fail(Errc::corrupt, "a slurm.array has no index");
  return SlurmArrayPart{text.substr(0, first), *index, text.substr(second + 1, text.size() - second - 2)};
}

SlurmExecutor::SlurmExecutor(SlurmSettings settings)
    : settings_(std::move(settings)),
      commands_(settings_.environment, settings_.patience),
      queue_(commands_, settings_.folder, settings_.between_looks) {}

std::chrono::microseconds SlurmExecutor::longest_pause(const JobId& /*job*/) const {
  return std::min<std::chrono::microseconds>(settings_.between_looks, std::chrono::milliseconds(500));
}

Result<std::optional<SlurmJobId>> SlurmExecutor::find_submitted(const JobFolder& folder) const {
  const auto part = array_part_of(folder);
  std::optional<SlurmJobId> newest;
  for (const SlurmQueueEntry& entry : TRY(commands_.jobs_named(name_in_slurm(folder)))) {
    if (!part || entry.job.index == part->index) newest = std::max(newest, std::optional(entry.job));
  }
  return newest;
}

Result<JobId> SlurmExecutor::start(const Path& run_folder, const Secrets& secrets) {
  const JobFolder folder = slurm_job_folder(run_folder);
  JobSpec job = TRY(folder.read_job());
  TRY(folder.reserve_exit());
  // A call before this one may have been heard although no answer came.
  if (is_there(script_of(folder)) || is_there(array_of(folder))) {
    if (const auto known = TRY(find_submitted(folder))) return known->job();
    TRY(remove_file(array_of(folder)));
  }
  const Instant time = now();
  const bool alone = settings_.gathering.count() == 0 || !secrets.empty();
  Submission one{folder, std::move(job), std::nullopt};
  const SlurmJobId submitted = alone ? TRY(submit(one, secrets)) : TRY(submit_gathered(std::move(one)));
  const std::lock_guard lock(mutex_);
  submitted_at_[submitted] = time;
  return submitted.job();
}

Result<SlurmJobId> SlurmExecutor::submit(const Submission& one, const Secrets& secrets) {
  const JobFolder& folder = one.folder;
  std::string key;
  if (!secrets.empty()) {
    const SealedSecrets sealed = TRY(seal(secrets));
    TRY(replace_file(folder.path(), folder.sealed_secrets(), sealed.text, 0600, Durable::no));
    key = sealed.key;
  }
  TRY(replace_file(folder.path(), script_of(folder), kScript, 0644, Durable::no));
  const auto options = sbatch_options(one.job, name_in_slurm(folder), log_of(folder).string());
  return commands_.submit(options, script_of(folder),
                          {settings_.worker.string(), "supervise-in-slurm", folder.path().string()}, key);
}

Result<SlurmJobId> SlurmExecutor::submit_gathered(Submission one) {
  std::unique_lock lock(mutex_);
  gathered_.push_back(&one);
  // The first one submits for all.
  if (gathered_.size() == 1) {
    lock.unlock();
    std::this_thread::sleep_for(settings_.gathering);
    lock.lock();
    const std::vector<Submission*> all = std::exchange(gathered_, {});
    lock.unlock();
    submit_together(all);
    lock.lock();
    answered_.notify_all();
  }
  answered_.wait(lock, [&] { return one.answer.has_value(); });
  return std::move(*one.answer);
}

void SlurmExecutor::submit_together(const std::vector<Submission*>& gathered) {
  // Slurm's MaxArraySize is 1001 where nobody decided otherwise.
  constexpr std::size_t kLargestArray = 1000;
  std::vector<Submission*> rest = gathered;
  while (!rest.empty()) {
    std::vector<Submission*> alike;
    std::vector<Submission*> others;
    for (Submission* const each : rest) {
      const bool fits = alike.size() < kLargestArray && are_alike(each->job, rest.front()->job);
      (fits ? alike : others).push_back(each);
    }
    const auto submitted = alike.size() == 1 ? submit(*alike.front(), {}) : submit_array(alike);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < alike.size(); ++i) {
      if (!submitted.ok()) alike[i]->answer = submitted.error();
      if (submitted.ok() && alike.size() == 1) alike[i]->answer = *submitted;
      if (submitted.ok() && alike.size() > 1) alike[i]->answer = SlurmJobId{submitted->number, i};
    }
    rest = std::move(others);
  }
}

Result<SlurmJobId> SlurmExecutor::submit_array(const std::vector<Submission*>& alike) {
  const std::string name = slurm_job_name(alike.front()->folder.path().string());
  const Path arrays = settings_.folder / "arrays";
  forget_old_arrays(arrays);
  const Path array = arrays / name;
  TRY(make_folders(array));
  std::string folders;
  for (std::size_t i = 0; i < alike.size(); ++i) {
    const JobFolder& folder = alike[i]->folder;
    const SlurmArrayPart part{name, i, (array / (std::to_string(i) + ".log")).string()};
    TRY(replace_file(folder.path(), array_of(folder), part.text(), 0644, Durable::no));
    folders += folder.path().string() + '\0';
  }
  TRY(replace_file(array, array / "folders", folders, 0644, Durable::no));
  TRY(replace_file(array, array / "slurm.sh", kScript, 0644, Durable::no));
  const auto options = sbatch_options(alike.front()->job, name, (array / "%a.log").string(), alike.size());
  return commands_.submit(options, array / "slurm.sh",
                          {settings_.worker.string(), "supervise-in-slurm-array", (array / "folders").string()}, "");
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
  if (claimant == Claimant::another) return look_at_gone(id, folder);
  const auto view = queue_.look();
  if (!view.ok() && claimant == Claimant::this_job) return JobLook(JobRunning{});
  if (!view.ok()) return JobLook(JobWaiting{view.error().message});
  const auto found = view->jobs.find(id);
  // Of another cluster, or of the one that this had been before somebody made it anew.
  const bool ours = found != view->jobs.end() && found->second.entry.name == name_in_slurm(folder);
  if (!ours) {
    const std::lock_guard lock(mutex_);
    const auto submitted = submitted_at_.find(id);
    if (submitted != submitted_at_.end() && view->taken_at <= submitted->second)
      return JobLook(JobWaiting{"it was given to Slurm as job " + id.text()});
  }
  if (!ours) return look_at_gone(id, folder);
  const auto& [entry, before] = found->second;
  // One that waits although it has begun: Slurm begins it a second time.
  const SlurmPhase phase = phase_of(entry);
  const bool again = phase == SlurmPhase::waiting && claimant == Claimant::this_job;
  if (phase == SlurmPhase::ended || again) return look_at_gone(id, folder);
  const std::lock_guard lock(mutex_);
  missed_since_.erase(id);
  if (phase == SlurmPhase::waiting) return JobLook(JobWaiting{slurm_wait(entry, before)});
  return JobLook(JobRunning{});
}

bool SlurmExecutor::has_waited_for_files(const SlurmJobId& job) {
  const std::lock_guard lock(mutex_);
  const auto time = std::chrono::steady_clock::now();
  const auto since = missed_since_.emplace(job, time).first->second;
  return time - since >= settings_.late_files;
}

Result<JobLook> SlurmExecutor::look_at_gone(const SlurmJobId& job, const JobFolder& folder) {
  const Claimant claimant = TRY(claimant_of(folder, job));
  if (claimant != Claimant::another && !has_waited_for_files(job)) return JobLook(JobRunning{});
  // A client of NFS asks its server again for the names in a folder that is opened (close-to-open consistency, nfs(5)).
  static_cast<void>(list_folder(folder.path()));
  if (auto exit = TRY(folder.read_exit())) return JobLook(std::move(*exit));
  std::optional<SlurmQueueEntry> last;
  const auto named = commands_.jobs_named(name_in_slurm(folder));
  if (!named.ok() && named.error().code == Errc::unavailable) return JobLook(JobRunning{});
  for (const SlurmQueueEntry& entry : TRY(named)) {
    if (entry.job == job) last = entry;
  }
  if (last && phase_of(*last) == SlurmPhase::running) return JobLook(JobRunning{});
  if (last && phase_of(*last) == SlurmPhase::waiting && claimant == Claimant::nobody)
    return JobLook(JobWaiting{slurm_wait(*last, std::nullopt)});
  // If it had not begun, it never will.
  if (claimant == Claimant::nobody && TRY(claim_job(folder, kAbandoned)) != kAbandoned) return JobLook(JobRunning{});
  return JobLook(JobLost{lost_in_slurm(job, last, last_words_in(log_of(folder)))});
}

Result<void> SlurmExecutor::stop(const JobId& job, const Path& run_folder, StopForce force) {
  const SlurmJobId id = TRY(SlurmJobId::parse(job));
  const JobFolder folder = slurm_job_folder(run_folder);
  if (TRY(folder.read_exit())) return {};
  // Forbidden before; how it ended has been told.
  if (TRY(folder.read_claim()) == kAbandoned) return commands_.cancel(id);
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
