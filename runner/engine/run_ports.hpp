// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "runner/core/run_plan.hpp"
#include "runner/core/run_state.hpp"
#include "runner/core/worker_event.hpp"
#include "runner/engine/bucket_intake.hpp"
#include "runner/executors/executor.hpp"
#include "storage/runs/run_index.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/capture.hpp"

namespace trainyard {

// How much a user wants a run to stop. Only grows.
enum class StopWish { none, polite, now };

// Watches a run and may ask it to stop. Called in the thread that drives the run; must not block.
class RunObserver {
 public:
  RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;
  virtual ~RunObserver() = default;

  // The run exists from now on.
  virtual void began(const RunPlan& /*plan*/) {}
  virtual void entered(const RunState& /*state*/) {}
  // It waits for a slot; told when the reason changes.
  virtual void awaiting(const std::string& /*reason*/) {}
  // Something that its user should know and that does not keep the run from going on: a sentence.
  virtual void noticed(const std::string& /*sentence*/) {}
  virtual void reading_data(const CaptureProgress& /*progress*/) {}
  virtual void reported(const WorkerEvent& /*event*/) {}
  virtual StopWish stop_wish() { return StopWish::none; }
};

// Everything outside that driving a run needs. All of it outlives the engine's calls.
struct RunPorts {
  const Store& store;
  Executor& executor;
  Path worker_program;
  std::function<Instant()> now;
  RunObserver& observer;
  Path python_kit;  // the folder with our own Python files
  std::string runner_version;
  std::string host;
  Machine machine = {};  // for runs that may wait for a slot; need not be known where none is begun or gone on with
  Secrets secrets = {};  // that this process knows; those of a run that another process began are not among them
  // The runs that are over and made a version by a definition (runner/core/run_definition.hpp), the newest first. Empty
  // where a run may repeat another one without a word.
  std::function<Result<std::vector<RunFacts>>(const std::string& definition)> finished_like = {};
  OpenKeys open_keys = {};  // for data in buckets; empty where none is read
};

}  // namespace trainyard
