// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_driver.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "runner/engine/attesting.hpp"
#include "runner/engine/collecting.hpp"
#include "runner/engine/run_checkpoints.hpp"
#include "runner/engine/run_events.hpp"
#include "runner/engine/run_journal.hpp"
#include "runner/engine/run_queue.hpp"
#include "runner/engine/run_stop.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// The job is looked at again after a sixteenth of the time that it has been running, but not before this, and not later than
// its executor has it: a short job is noticed at once, a long one costs nothing. Closing an inotify watch would block for ten milliseconds.
constexpr auto kShortestPause = std::chrono::microseconds(500);
// Between two tries of what Slurm's controller does not answer.
constexpr auto kBetweenTries = std::chrono::seconds(1);

// A run that waits for its slot looks again after a while that grows between these two, for each who is before it; and asks
// at least this often.
constexpr std::chrono::milliseconds kFirstLook{20};
constexpr std::chrono::milliseconds kLastLook{500};
constexpr std::chrono::milliseconds kBetweenAsks{5000};
constexpr auto kBetweenCare = std::chrono::seconds(1);

Happening lost(const std::string& message) { return happening::WentWrong{outcome(RunReason::lost, message)}; }

// After a power cut a run that began is there, a version that it made is the run's, and one that is over stays so. What is
// lost of the states between is found again in what the job left.
Durable durability_of(const RunState& state) {
  const bool begins = std::holds_alternative<state::Planned>(state) || std::holds_alternative<state::Queued>(state);
  return begins || std::holds_alternative<state::Collected>(state) || is_final(state) ? Durable::yes : Durable::no;
}

const JobId* job_of(const RunState& state) {
  if (const auto* const running = std::get_if<state::Running>(&state)) return &running->job;
  if (const auto* const stopping = std::get_if<state::Stopping>(&state)) return &stopping->job;
  return nullptr;
}

}  // namespace

Result<RunDriver> RunDriver::begin(RunPorts& ports, RunPlan plan, RunFolder folder, RunFolders::Lease lease) {
  RunDriver driver(ports, std::move(plan), std::move(folder), std::move(lease), state::Queued{}, Origin::fresh);
  const SlotAnswer answer = TRY(RunQueue(ports).ask(driver.plan_, RunQueue::Care::yes));
  if (const auto* const granted = std::get_if<SlotGranted>(&answer)) {
    driver.gpus_ = granted->gpus;
    TRY(driver.enter(state::Planned{granted->gpus}));
  } else {
    TRY(driver.enter(state::Queued{std::get<SlotAwaited>(answer).reason}));
  }
  return driver;
}

Result<RunDriver> RunDriver::resume(RunPorts& ports, RunFolder folder, RunFolders::Lease lease) {
  const std::vector<JournalEntry> journal = TRY(read_journal(folder));
  if (journal.empty()) return fail(Errc::not_found, "the run in '" + folder.path().string() + "' never began");
  RunPlan plan =
      TRY(run_plan_from(TRY(parse_json(TRY(read_file(folder.plan(), limits::kRecordBytes)), "the run plan"))));
  RunDriver driver(ports, std::move(plan), std::move(folder), std::move(lease), journal.back().state, Origin::resumed);
  driver.entered_at_ = journal.back().time;
  for (const JournalEntry& entry : journal) {
    if (const auto* const planned = std::get_if<state::Planned>(&entry.state)) driver.gpus_ = planned->gpus;
    if (const auto* const retrying = std::get_if<state::Retrying>(&entry.state))
      driver.begin_attempt(retrying->attempt);
  }
  return driver;
}

Result<bool> RunDriver::job_is_running() {
  if (std::holds_alternative<state::Staged>(state_)) TRY(step());
  const JobId* const job = job_of(state_);
  if (job == nullptr) return false;
  return goes_on(TRY(ports_->executor.look(*job, job_folder_.path())));
}

Result<RunReport> RunDriver::drive() {
  while (!is_final(state_)) TRY(step());
  return finish();
}

Result<std::optional<RunReport>> RunDriver::drive_to_next_job() {
  while (!is_final(state_)) {
    const bool waits = std::holds_alternative<state::Queued>(state_) || std::holds_alternative<state::Retrying>(state_);
    if (waits && knows_secrets()) return std::optional<RunReport>();
    TRY(step());
  }
  return std::optional(TRY(finish()));
}

Result<void> RunDriver::step() {
  auto happening = act();
  if (!happening.ok()) {
    // A version that has its name may be in use already, so its run cannot fail any more; the next command makes it
    // durable.
    if (std::holds_alternative<state::Collected>(state_) && TRY(published_before(plan_, ports_->store)))
      return happening.error();
    // Slurm's controller is silent, and the job may well run: the next command looks again.
    const bool unsure = std::holds_alternative<state::Staged>(state_) && origin_ == Origin::resumed;
    if (unsure && happening.error().code == Errc::unavailable) return happening.error();
    // A run that is over has no job.
    if (const JobId* const job = job_of(state_))
      static_cast<void>(ports_->executor.stop(*job, job_folder_.path(), StopForce::now));
    happening = Happening(happening::WentWrong{outcome_of(happening.error())});
  }
  return enter(TRY(next(state_, *happening)));
}

Result<void> RunDriver::enter(RunState state) {
  state_ = std::move(state);
  // Another process may have told the entry before, by a clock that somebody has set back since.
  entered_at_ = std::max(entered_at_, ports_->now());
  TRY(append_line(folder_.journal(), canonical(to_json(JournalEntry{entered_at_, state_})), durability_of(state_)));
  // What was put until now stands in the plan or the journal.
  ports_->store.objects().release();
  ports_->observer.entered(state_);
  return {};
}

Result<Happening> RunDriver::act() {
  return std::visit([this](const auto& state) { return act_on(state); }, state_);
}

template <class Final>
Result<Happening> RunDriver::act_on(const Final& /*final*/) {
  return fail(Errc::invalid, "a run that is over was asked to go on");
}

Result<std::optional<Happening>> RunDriver::await_slot() {
  const auto end = [](RunReason reason, const std::string& message) {
    return std::optional(Happening(happening::WentWrong{outcome(reason, message)}));
  };
  std::string told;
  int places = 1;  // between the run and its slot
  const auto begin = std::chrono::steady_clock::now();
  auto ask_at = begin;
  auto care_at = begin;
  for (;;) {
    if (stop_wish(folder_, ports_->observer) != StopWish::none) return end(RunReason::stopped, "stopped by a user");
    if (!knows_secrets())
      return end(RunReason::lost, "the runner ended while the run waited, and the secrets of the run with it");
    const auto time = std::chrono::steady_clock::now();
    if (time >= ask_at) {
      SlotAnswer answer = TRY(RunQueue(*ports_).ask(plan_, time >= care_at ? RunQueue::Care::yes : RunQueue::Care::no));
      if (auto* const granted = std::get_if<SlotGranted>(&answer)) {
        gpus_ = granted->gpus;
        return std::optional<Happening>();
      }
      const auto& awaited = std::get<SlotAwaited>(answer);
      if (awaited.in_vain) return end(RunReason::invalid_input, awaited.reason + ", so it would wait for ever");
      if (awaited.reason != told) ports_->observer.awaiting(awaited.reason);
      told = awaited.reason;
      places = std::max(1, static_cast<int>(awaited.ahead.size()));
      if (time >= care_at) care_at = time + kBetweenCare * places;
      // Who comes next asks often, who comes later or has been waiting for long seldom.
      const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(time - begin);
      ask_at = time + std::min(std::clamp(age / 16, kFirstLook, kLastLook) * places, kBetweenAsks);
    }
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(kLastLook, ask_at - time));
  }
}

Result<Happening> RunDriver::act_on(const state::Queued& /*queued*/) {
  if (auto end = TRY(await_slot())) return std::move(*end);
  origin_ = Origin::fresh;
  return Happening(happening::SlotFreed{gpus_});
}

Result<Happening> RunDriver::act_on(const state::Planned& /*planned*/) {
  if (origin_ == Origin::resumed) return lost("the runner ended before the run was staged");
  staged_ = TRY(stage(plan_, gpus_of_run(), folder_, *ports_));
  return Happening(happening::DataStaged{staged_->data});
}

Result<Happening> RunDriver::act_on(const state::Staged& /*staged*/) {
  if (origin_ == Origin::resumed) {
    auto job = TRY(ports_->executor.recall(job_folder_.path()));
    if (!job) return lost("the runner ended before the job was started");
    return Happening(happening::JobStarted{std::move(*job)});
  }
  if (stop_wish(folder_, ports_->observer) != StopWish::none)
    return Happening(happening::WentWrong{outcome(RunReason::stopped, "stopped by a user")});
  const auto left = TRY(runtime_left());
  if (left == 0) {
    return Happening(
        happening::WentWrong{outcome(RunReason::max_runtime, "its attempts took the longest permitted time")});
  }
  for (const Workspace& workspace : staged_->others) {
    const JobFolder one = JobFolder::of_rank(job_folder_.path(), workspace.rank);
    TRY(make_folders(one.path()));
    const JobSpec job = job_for(plan_, workspace, left);
    TRY(publish_file(ports_->store.scratch(), one.job(), readable(to_json(job)), 0644, Durable::no));
  }
  const JobSpec job = job_for(plan_, staged_->workspace, left);
  TRY(publish_file(ports_->store.scratch(), job_folder_.job(), readable(to_json(job)), 0644, Durable::no));
  for (;;) {
    auto started = ports_->executor.start(job_folder_.path(), ports_->secrets);
    if (started.ok()) return Happening(happening::JobStarted{std::move(*started)});
    // A machine without room has none later either.
    if (started.error().code != Errc::unavailable || !runs_in_slurm(plan_.request)) return started.error();
    tell_waiting(started.error().message);
    std::this_thread::sleep_for(kBetweenTries);
    if (stop_wish(folder_, ports_->observer) == StopWish::none) continue;
    if (auto job_all_the_same = ports_->executor.recall(job_folder_.path()); job_all_the_same.ok() && *job_all_the_same)
      return Happening(happening::JobStarted{std::move(**job_all_the_same)});
    return Happening(happening::WentWrong{outcome(RunReason::stopped, "stopped by a user")});
  }
}

void RunDriver::tell_waiting(const std::string& reason) {
  if (reason != told_) ports_->observer.awaiting(reason);
  told_ = reason;
}

void RunDriver::tell_of_wait(const JobLook& look) {
  if (const auto* const waiting = std::get_if<JobWaiting>(&look)) return tell_waiting(waiting->reason);
  told_.clear();
}

Result<Happening> RunDriver::watch(const JobId& job) {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const JobLook look = TRY(ports_->executor.look(job, job_folder_.path()));
    report_events();
    if (std::holds_alternative<JobExit>(look)) return Happening(happening::JobEnded{});
    if (const auto* const lost = std::get_if<JobLost>(&look)) {
      // What it started must not go on beside another attempt.
      const auto stopped = ports_->executor.stop(job, job_folder_.path(), StopForce::now);
      if (!stopped.ok() && stopped.error().code != Errc::unavailable) return stopped.error();
      return attempt_failed(lost->outcome);
    }
    tell_of_wait(look);
    const StopWish wish = stop_wish(folder_, ports_->observer);
    if (wish > asked_) {
      const auto stopped =
          ports_->executor.stop(job, job_folder_.path(), wish == StopWish::now ? StopForce::now : StopForce::polite);
      if (stopped.ok()) {
        asked_ = wish;
        return Happening(happening::StopAsked{});
      }
      if (stopped.error().code != Errc::unavailable) return stopped.error();
      tell_waiting("it cannot be stopped yet: " + stopped.error().message);
      std::this_thread::sleep_for(kBetweenTries);
    }
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    std::this_thread::sleep_for(std::clamp(age / 16, kShortestPause, ports_->executor.longest_pause(job)));
  }
}

void RunDriver::report(const WorkerEvent& event) {
  if (const auto* const measured = std::get_if<event::Measured>(&event.what)) metrics_.add(*measured);
  if (const auto* const loaded = std::get_if<event::Loaded>(&event.what)) builder_ = loaded->builder;
  ports_->observer.reported(event);
}

void RunDriver::report_events(LogMetrics::Last last) {
  if (const auto events = events_.poll(); events.ok()) {
    for (const WorkerEvent& event : *events) report(event);
  }
  if (last == LogMetrics::Last::yes) note_log_metrics_of_others();
  const auto measured = log_metrics_.poll(last);
  if (!measured.ok() || measured->empty()) return;
  // Whoever drove the run before may have noted the same.
  const Path file = folder_.log_metrics(attempt_);
  if (!std::exchange(log_metrics_noted_, true)) static_cast<void>(remove_file(file));
  for (const WorkerEvent& event : *measured) {
    static_cast<void>(append_line(file, canonical(to_json(event)), Durable::no));
    report(event);
  }
}

// The metrics of a run are those of rank 0; what the others printed is noted beside their events.
void RunDriver::note_log_metrics_of_others() {
  for (int rank = 1; rank < workers_of(plan_.request); ++rank) {
    const Path file = folder_.log_metrics(attempt_, rank);
    if (is_there(file)) continue;
    const auto measured =
        LogMetrics(plan_.metrics, JobFolder::of_rank(job_folder_.path(), rank)).poll(LogMetrics::Last::yes);
    if (!measured.ok()) continue;
    for (const WorkerEvent& event : *measured)
      static_cast<void>(append_line(file, canonical(to_json(event)), Durable::no));
  }
}

Result<Happening> RunDriver::act_on(const state::Exited& exited) {
  const auto exit = TRY(job_folder_.read_exit());
  if (!exit) return lost("the job ended but its exit.json is gone");
  const JobFolder decisive = exit->rank ? JobFolder::of_rank(job_folder_.path(), exit->rank->number) : job_folder_;
  const Outcome verdict = judge(*exit, TRY(last_word(decisive.events())).ended);
  if (verdict.reason != RunReason::ok) return attempt_failed(verdict);
  TRY(check_data_unchanged(plan_, exited.data, staged_ ? &staged_->captured : nullptr));
  return Happening(happening::JudgedGood{});
}

Result<Happening> RunDriver::act_on(const state::Succeeded& succeeded) {
  if (!knows_secrets()) {
    return lost("the runner ended and the secrets of the run with it, so what it made cannot be searched for them");
  }
  TRY(refuse_secrets(plan_, folder_, hidden_));
  return Happening(happening::OutputsCollected{TRY(collect(plan_, folder_, succeeded.data, *ports_))});
}

Result<Happening> RunDriver::act_on(const state::Collected& collected) {
  if (!collected.outputs.package) return Happening(happening::ScoreKept{});
  if (plan_.request.reproduces) return Happening(happening::OutputsKept{});
  if (origin_ == Origin::resumed) {
    if (const auto made = TRY(published_before(plan_, ports_->store))) {
      return Happening(happening::VersionPublished{made->version});
    }
  }
  const VersionRecord record = TRY(publish(plan_, folder_, collected.outputs, *ports_));
  return Happening(happening::VersionPublished{record.version});
}

Result<RunReport> RunDriver::finish() {
  report_events(LogMetrics::Last::yes);
  const std::vector<JournalEntry> journal = TRY(read_journal(folder_));
  const Instant end = journal.back().time;
  RunReport report{plan_,
                   state_,
                   start_in(journal).value_or(end),
                   end,
                   attempts_of(journal),
                   {},
                   folder_.artifacts().string(),
                   {},
                   metrics_,
                   plan_.library ? std::nullopt : builder_,
                   ports_->runner_version,
                   ports_->host};
  if (const auto* const published = std::get_if<state::Published>(&state_)) {
    const PackageRegistry registry(ports_->store.packages(), ports_->store.journal());
    report.version = TRY(registry.find({plan_.parent.content.name, published->version}));
  }
  if (const CollectedOutputs* const outputs = outputs_of(state_)) {
    if (origin_ == Origin::resumed) TRY(restore_artifacts(folder_, outputs->artifacts, ports_->store));
    report.artifacts = outputs->artifacts;
  } else {
    report.artifacts = TRY(keep_what_is_there());
  }
  for (const Path& workspace : TRY(folder_.workspaces())) TRY(remove_tree(workspace));
  const bool checkpoints_wanted = std::holds_alternative<state::Failed>(state_) && knows_secrets();
  TRY(settle_checkpoints(folder_, attempt_, workers_of(plan_.request), checkpoints_wanted));
  if (!is_there(folder_.results())) TRY(write_results(readable(results_json(report)), end));
  ports_->store.objects().release();
  TRY(RunQueue(*ports_).leave(plan_.run));
  // While the run is active, so that the next command does it where this process is killed before.
  const auto attested = attest_run(folder_, ports_->store);
  note_events(plan_.run, ports_->store);
  TRY(lease_.finish());
  if (!attested.ok()) tell_unattested(report, attested.error());
  deliver_events_in_passing(ports_->store, ports_->now());
  return report;
}

// An interrupted writer may have told of other results, which nobody saw: what is told last counts.
Result<void> RunDriver::write_results(const std::string& results, Instant end) {
  const StoreJournal journal = ports_->store.journal();
  const RelPath path = TRY(results_path(plan_.run));
  TRY(journal.tell({StoreEvent::Action::run_ended, end, plan_.run.text(), path, sha256(results)}));
  return publish_file(ports_->store.scratch(), folder_.results(), results, 0444, Durable::yes);
}

void RunDriver::tell_unattested(const RunReport& report, const Error& why) {
  if (!report.version)
    return ports_->observer.noticed("the run " + plan_.name.text() + " attests nothing: " + why.message);
  const VersionRecord& made = *report.version;
  ports_->observer.noticed(not_attested(made.content.name.text() + "@" + made.version.text(), why));
}

std::vector<Gpu> RunDriver::gpus_of_run() const {
  std::vector<Gpu> gpus;
  for (const std::uint32_t number : gpus_) {
    const auto& all = ports_->machine.gpus;
    const auto known = std::find_if(all.begin(), all.end(), [&](const Gpu& gpu) { return gpu.number == number; });
    gpus.push_back(known != all.end() ? *known : Gpu{number, std::to_string(number), ""});
  }
  return gpus;
}

void RunDriver::begin_attempt(int number) {
  attempt_ = number;
  folder_ = folder_.in_attempt(number);
  job_folder_ = JobFolder(folder_.attempt(number));
  events_ = EventTail(job_folder_.events());
  log_metrics_ = LogMetrics(plan_.metrics, job_folder_);
  log_metrics_noted_ = false;
  metrics_ = MetricSummaries();
}

std::vector<Attempt> RunDriver::attempts_of(const std::vector<JournalEntry>& journal) const {
  const int workers = workers_of(plan_.request);
  std::vector<Attempt> attempts = attempts_in(journal);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    // An exit that cannot be read has already failed the run; its story is told without it.
    const JobFolder job(folder_.attempt(static_cast<int>(i) + 1));
    if (auto exit = job.read_exit(); exit.ok()) attempts[i].exit = std::move(*exit);
    if (attempts[i].exit) {
      attempts[i].begun_at = attempts[i].exit->started_at;
    } else if (const auto claim = status_of(job.claim()); claim.ok() && *claim) {
      // It died without a word, but its first act was to claim its folder.
      const timespec& time = (*claim)->st_mtim;
      attempts[i].begun_at = Instant{std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000};
    }
    for (int rank = 0; workers > 1 && rank < workers; ++rank) {
      auto exit = JobFolder::of_rank(folder_.attempt(static_cast<int>(i) + 1), rank).read_exit();
      attempts[i].ranks.push_back(exit.ok() ? std::move(*exit) : std::nullopt);
    }
  }
  return attempts;
}

Result<std::optional<std::int64_t>> RunDriver::runtime_left() const {
  const auto most = plan_.request.max_runtime_ms;
  if (!most) return most;
  const std::int64_t spent = milliseconds_run(attempts_of(TRY(read_journal(folder_))));
  return std::optional(std::max<std::int64_t>(*most - spent, 0));
}

Result<Happening> RunDriver::attempt_failed(const Outcome& outcome) {
  const Happening end = happening::WentWrong{outcome};
  const bool wanted = !std::holds_alternative<state::Stopping>(state_) && asked_ == StopWish::none &&
                      stop_wish(folder_, ports_->observer) == StopWish::none;
  if (attempt_ > plan_.request.retries || !may_be_retried(outcome) || !wanted || !knows_secrets()) return end;
  if (TRY(runtime_left()).value_or(1) == 0) return end;
  report_events(LogMetrics::Last::yes);
  ports_->observer.noticed("attempt " + std::to_string(attempt_) + " of " + std::to_string(plan_.request.retries + 1) +
                           " of the run " + plan_.name.text() + " failed (" + std::string(name_of(outcome.reason)) +
                           "): " + outcome.message);
  return Happening(happening::AttemptFailed{attempt_ + 1, outcome});
}

Result<Happening> RunDriver::act_on(const state::Retrying& retrying) {
  // The slot is the run's still, unless everybody took the run for dead.
  if (auto end = TRY(await_slot())) return std::move(*end);
  // Of an attempt that ended nothing is left that could write; of one that was lost, who knows.
  const bool over = TRY(JobFolder(folder_.attempt(retrying.attempt - 1)).read_exit()).has_value();
  const RunFolder before = folder_.in_attempt(retrying.attempt - 1);
  begin_attempt(retrying.attempt);
  TRY(make_folders(job_folder_.path()));
  if (over) TRY(move_checkpoints(before, folder_));
  if (!over) TRY(copy_checkpoints(before, folder_));
  staged_ = TRY(stage(plan_, gpus_of_run(), folder_, *ports_));
  const auto tree_of = [](const std::optional<StagedInput>& input) {
    return input ? std::optional(input->tree) : std::optional<TreeSummary>();
  };
  const std::string changed = " has changed since the attempt before";
  if (tree_of(staged_->data.data) != tree_of(retrying.data.data))
    return fail(Errc::invalid, "the dataset '" + plan_.request.dataset + "'" + changed);
  if (tree_of(staged_->data.evaluation) != tree_of(retrying.data.evaluation))
    return fail(Errc::invalid, "the dataset '" + plan_.request.evaluation_dataset.value_or("") + "'" + changed);
  origin_ = Origin::fresh;
  return Happening(happening::DataStaged{staged_->data});
}

bool RunDriver::knows_secrets() const {
  return std::all_of(plan_.request.secrets.begin(), plan_.request.secrets.end(),
                     [&](const std::string& name) { return ports_->secrets.contains(name); });
}

Result<std::optional<TreeSummary>> RunDriver::keep_what_is_there() {
  if (!knows_secrets()) return std::optional<TreeSummary>();
  for (const SecretLeak& leak : TRY(remove_secrets(plan_, folder_, hidden_)))
    ports_->observer.noticed("the file '" + leak.shown + "' was not kept, because " + leak.why());
  if (const auto kept = keep_artifacts(plan_, folder_); !kept.ok()) {
    if (kept.error().code == Errc::package_failed) return std::optional<TreeSummary>();
    return kept.error();
  }
  // Where the store cannot take it, the results say nothing of it.
  const auto stored = store_artifacts(folder_, ports_->store.objects());
  return stored.ok() ? std::optional(*stored) : std::nullopt;
}

}  // namespace trainyard
