// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runner/core/run_results.hpp"
#include "runner/engine/log_metrics.hpp"
#include "runner/engine/run_ports.hpp"
#include "runner/engine/staging.hpp"
#include "runner/jobs/event_tail.hpp"
#include "runner/jobs/job_folder.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// Drives one run to its end: looks at its state, does what that state asks for, notes the next state in the journal.
// The same loop serves a run that just began and one that another process left behind.
class RunDriver {
 public:
  // A run that just began; its folder holds plan.json.
  static Result<RunDriver> begin(RunPorts& ports, RunPlan plan, RunFolder folder, RunFolders::Lease lease);
  // A run as its journal tells it. `not_found` when nothing was noted: then there is no run.
  static Result<RunDriver> resume(RunPorts& ports, RunFolder folder, RunFolders::Lease lease);

  [[nodiscard]] const RunPlan& plan() const { return plan_; }
  [[nodiscard]] const RunState& state() const { return state_; }
  [[nodiscard]] const RunFolder& folder() const { return folder_; }

  // A job that still runs, although nobody drives its run. One that was started and not noted is noted.
  [[nodiscard]] Result<bool> job_is_running();

  // Returns when _results.json is written and the run is no longer active. An error means that the store cannot even
  // keep the story; the run is then resumed by the next command.
  Result<RunReport> drive();
  // The same as far as it takes no time: none, and the lease given back, when what comes next may take as long as a job.
  Result<std::optional<RunReport>> drive_to_next_job();

 private:
  enum class Origin { fresh, resumed };

  RunDriver(RunPorts& ports, RunPlan plan, RunFolder folder, RunFolders::Lease lease, RunState state, Origin origin)
      : ports_(&ports),
        plan_(std::move(plan)),
        folder_(std::move(folder)),
        lease_(std::move(lease)),
        state_(std::move(state)),
        origin_(origin),
        job_folder_(folder_.path()),
        events_(job_folder_.events()),
        log_metrics_(plan_.metrics, job_folder_),
        hidden_(ports.secrets) {}

  // From one state to the next.
  Result<void> step();
  Result<void> enter(RunState state);
  Result<void> write_results(const std::string& results, Instant end);
  // What the current state asks for. An error is something that went wrong with the run, not with the driver.
  Result<Happening> act();
  Result<Happening> act_on(const state::Queued& queued);
  Result<Happening> act_on(const state::Planned& planned);
  Result<Happening> act_on(const state::Staged& staged);
  Result<Happening> act_on(const state::Running& running) { return watch(running.job); }
  Result<Happening> act_on(const state::Stopping& stopping) { return watch(stopping.job); }
  Result<Happening> act_on(const state::Exited& exited);
  Result<Happening> act_on(const state::Retrying& retrying);
  Result<Happening> act_on(const state::Succeeded& succeeded);
  Result<Happening> act_on(const state::Collected& collected);
  template <class Final>
  Result<Happening> act_on(const Final& final);
  // Returns when the run has its slot, with none; else what ends it.
  Result<std::optional<Happening>> await_slot();
  Result<Happening> watch(const JobId& job);
  // Of what the job waits for, where that is news.
  void tell_waiting(const std::string& reason);
  void tell_of_wait(const JobLook& look);
  // Another attempt where that is allowed and may help, else the end.
  Result<Happening> attempt_failed(const Outcome& outcome);
  // Of the time that the plan gives all attempts together.
  [[nodiscard]] Result<std::optional<std::int64_t>> runtime_left() const;
  [[nodiscard]] std::vector<Attempt> attempts_of(const std::vector<JournalEntry>& journal) const;
  void begin_attempt(int number);
  [[nodiscard]] std::vector<Gpu> gpus_of_run() const;
  [[nodiscard]] bool knows_secrets() const;
  // What a run that made nothing has left for people.
  Result<std::optional<TreeSummary>> keep_what_is_there();
  // Events that cannot be read are no news; the verdict reads them again.
  void report_events(LogMetrics::Last last = LogMetrics::Last::no);
  void report(const WorkerEvent& event);
  void note_log_metrics_of_others();
  Result<RunReport> finish();
  // The run is what it is all the same.
  void tell_unattested(const RunReport& report, const Error& why);

  RunPorts* ports_;
  RunPlan plan_;
  RunFolder folder_;
  RunFolders::Lease lease_;
  RunState state_;
  Instant entered_at_;  // the state
  Origin origin_;
  int attempt_ = 1;
  std::vector<std::uint32_t> gpus_;  // the numbers of those of the run's slot
  JobFolder job_folder_;             // of the attempt
  EventTail events_;
  LogMetrics log_metrics_;
  SecretForms hidden_;
  bool log_metrics_noted_ = false;  // by this process
  MetricSummaries metrics_;
  std::optional<std::string> builder_;  // what the worker said that it loaded
  StopWish asked_ = StopWish::none;
  std::string told_;  // that the job waits for
  std::optional<StagedRun> staged_;
};

}  // namespace trainyard
