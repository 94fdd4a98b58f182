// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_driver.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "runner/engine/collecting.hpp"
#include "runner/engine/run_stop.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

// The job is looked at again after a sixteenth of the time that it has been running, within these bounds: a short job is
// noticed at once, a long one costs nothing. Closing an inotify watch would block for ten milliseconds.
constexpr auto kShortestPause = std::chrono::microseconds(500);
constexpr auto kLongestPause = std::chrono::microseconds(50'000);

Happening lost(const std::string& message) { return happening::WentWrong{outcome(RunReason::lost, message)}; }

const JobId* job_of(const RunState& state) {
  if (const auto* const running = std::get_if<state::Running>(&state)) return &running->job;
  if (const auto* const stopping = std::get_if<state::Stopping>(&state)) return &stopping->job;
  return nullptr;
}

}  // namespace

Result<RunDriver> RunDriver::begin(RunPorts& ports, RunPlan plan, RunFolder folder, RunFolders::Lease lease) {
  RunDriver driver(ports, std::move(plan), std::move(folder), std::move(lease), state::Planned{}, Origin::fresh);
  TRY(driver.enter(state::Planned{}));
  return driver;
}

Result<RunDriver> RunDriver::resume(RunPorts& ports, RunFolder folder, RunFolders::Lease lease) {
  const auto lines = TRY(RunFolder::lines(folder.journal()));
  if (lines.empty()) return fail(Errc::not_found, "the run in '" + folder.path().string() + "' never began");
  const JournalEntry last = TRY(journal_entry_from(TRY(parse_json(lines.back(), "the journal"))));
  RunPlan plan =
      TRY(run_plan_from(TRY(parse_json(TRY(read_file(folder.plan(), limits::kRecordBytes)), "the run plan"))));
  return RunDriver(ports, std::move(plan), std::move(folder), std::move(lease), last.state, Origin::resumed);
}

Result<bool> RunDriver::job_is_running() {
  if (std::holds_alternative<state::Staged>(state_)) TRY(step());
  const JobId* const job = job_of(state_);
  if (job == nullptr) return false;
  return std::holds_alternative<JobRunning>(TRY(ports_->executor.look(*job, folder_.path())));
}

Result<RunReport> RunDriver::drive() {
  while (!is_final(state_)) TRY(step());
  return finish();
}

Result<void> RunDriver::step() {
  auto happening = act();
  if (!happening.ok()) {
    // A version that has its name may be in use already, so its run cannot fail any more; the next command makes it
    // durable.
    if (std::holds_alternative<state::Collected>(state_) && TRY(published_before(plan_, ports_->store)))
      return happening.error();
    // A run that is over has no job.
    if (const JobId* const job = job_of(state_)) static_cast<void>(ports_->executor.stop(*job, StopForce::now));
    happening = Happening(happening::WentWrong{outcome_of(happening.error())});
  }
  return enter(TRY(next(state_, *happening)));
}

Result<void> RunDriver::enter(RunState state) {
  state_ = std::move(state);
  TRY(append_line(folder_.journal(), canonical(to_json(JournalEntry{ports_->now(), state_}))));
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

Result<Happening> RunDriver::act_on(const state::Planned& /*planned*/) {
  if (origin_ == Origin::resumed) return lost("the runner ended before the run was staged");
  staged_ = TRY(stage(plan_, folder_, *ports_));
  return Happening(happening::DataStaged{staged_->data});
}

Result<Happening> RunDriver::act_on(const state::Staged& /*staged*/) {
  if (origin_ == Origin::resumed) {
    auto job = TRY(ports_->executor.recall(folder_.path()));
    if (!job) return lost("the runner ended before the job was started");
    return Happening(happening::JobStarted{std::move(*job)});
  }
  if (stop_wish(folder_, ports_->observer) != StopWish::none)
    return Happening(happening::WentWrong{outcome(RunReason::stopped, "stopped by a user")});
  const JobSpec job = job_for(plan_, staged_->workspace);
  TRY(publish_file(ports_->store.scratch(), job_folder_.job(), readable(to_json(job)), 0644, Durable::no));
  return Happening(happening::JobStarted{TRY(ports_->executor.start(folder_.path()))});
}

Result<Happening> RunDriver::watch(const JobId& job) {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const JobLook look = TRY(ports_->executor.look(job, folder_.path()));
    report_events();
    if (std::holds_alternative<JobExit>(look)) return Happening(happening::JobEnded{});
    if (std::holds_alternative<JobLost>(look))
      return lost("the process that supervised the job is gone and left no word about its end");
    const StopWish wish = stop_wish(folder_, ports_->observer);
    if (wish > asked_) {
      asked_ = wish;
      TRY(ports_->executor.stop(job, wish == StopWish::now ? StopForce::now : StopForce::polite));
      return Happening(happening::StopAsked{});
    }
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    std::this_thread::sleep_for(std::clamp(age / 16, kShortestPause, kLongestPause));
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
  const auto measured = log_metrics_.poll(last);
  if (!measured.ok() || measured->empty()) return;
  // Whoever drove the run before may have noted the same.
  if (!std::exchange(log_metrics_noted_, true)) static_cast<void>(remove_file(folder_.log_metrics()));
  for (const WorkerEvent& event : *measured) {
    static_cast<void>(append_line(folder_.log_metrics(), canonical(to_json(event))));
    report(event);
  }
}

Result<Happening> RunDriver::act_on(const state::Exited& exited) {
  const auto exit = TRY(job_folder_.read_exit());
  if (!exit) return lost("the job ended but its exit.json is gone");
  const Outcome verdict = judge(*exit, TRY(last_word(job_folder_.events())).ended);
  if (verdict.reason != RunReason::ok) return Happening(happening::WentWrong{verdict});
  TRY(check_data_unchanged(plan_, exited.data, staged_ ? &staged_->captured : nullptr));
  return Happening(happening::JudgedGood{});
}

Result<Happening> RunDriver::act_on(const state::Succeeded& succeeded) {
  return Happening(happening::OutputsCollected{TRY(collect(plan_, folder_, succeeded.data, *ports_))});
}

Result<Happening> RunDriver::act_on(const state::Collected& collected) {
  if (!collected.outputs.package) return Happening(happening::ScoreKept{});
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
  const auto lines = TRY(RunFolder::lines(folder_.journal()));
  const JournalEntry last = TRY(journal_entry_from(TRY(parse_json(lines.back(), "the journal"))));
  // An exit that cannot be read has already failed the run; its story is told without it.
  const auto exit = job_folder_.read_exit();
  RunReport report{plan_,
                   state_,
                   last.time,
                   exit.ok() ? *exit : std::nullopt,
                   {},
                   folder_.artifacts().string(),
                   {},
                   metrics_,
                   plan_.library ? std::nullopt : builder_,
                   ports_->runner_version,
                   ports_->host};
  if (const auto* const published = std::get_if<state::Published>(&state_)) {
    const PackageRegistry registry(ports_->store.packages(), ports_->store.scratch());
    report.version = TRY(registry.find({plan_.parent.content.name, published->version}));
  }
  if (const CollectedOutputs* const outputs = outputs_of(state_)) {
    report.artifacts = outputs->artifacts;
  } else {
    // What a failed run wrote so far is kept as it is; where the store cannot take it, the results say nothing of it.
    TRY(keep_artifacts(plan_, folder_));
    if (const auto stored = store_artifacts(folder_, ports_->store.objects()); stored.ok()) report.artifacts = *stored;
  }
  TRY(remove_tree(folder_.workspace()));
  const auto written =
      publish_file(ports_->store.scratch(), folder_.results(), readable(results_json(report)), 0444, Durable::yes);
  if (!written.ok() && written.error().code != Errc::exists) return written.error();
  ports_->store.objects().release();
  TRY(lease_.finish());
  return report;
}

}  // namespace trainyard
