// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runner/core/run_results.hpp"
#include "runner/core/sweep_board.hpp"
#include "runner/engine/run_ports.hpp"
#include "runner/engine/sweep_reading.hpp"

namespace trainyard {

// How far the runs of a rung are.
struct SweepProgress {
  int rung = 1;
  int rungs = 1;
  std::size_t all = 0;  // that are made now: not those that were over when it began
  std::size_t done = 0;
  std::size_t failed = 0;  // of those that are done
  std::size_t running = 0;
  std::optional<SweepTrial> best;  // of the rung
};

// Watches a sweep and may ask it to stop.
class SweepObserver {
 public:
  SweepObserver() = default;
  SweepObserver(const SweepObserver&) = delete;
  SweepObserver& operator=(const SweepObserver&) = delete;
  virtual ~SweepObserver() = default;

  // In the thread that called, some ten times a second.
  virtual void progressed(const SweepProgress& /*progress*/) {}
  // In the thread that called: something that its user should know, a sentence.
  virtual void noticed(const std::string& /*sentence*/) {}
  // In any thread, by several at once. `polite` and `now` mean: no new run, and this to each run that goes on.
  virtual StopWish stop_wish() { return StopWish::none; }
};

// Everything outside that making a sweep's runs needs. All of it outlives the calls. The functions are called by several
// threads at once.
struct SweepPorts {
  const Store& store;  // of the thread that calls
  // For a run in a thread with a store of its own. The executor is one for all.
  std::function<Result<RunPorts>(const Store& store, RunObserver& observer)> run_ports;
  FindRuns find_runs;
  // A run of the sweep is over; with the store of its thread.
  std::function<void(const RunPlan& plan, const Store& store)> ended;
  SweepObserver& observer;
};

// Refuses what any run of the sweep would be refused for before its data is read, and two points that are the same run; and
// says in the request which version of the package and of the data is meant, so that all runs have the same.
Result<void> settle_sweep(Sweep& sweep, RunPorts& ports);

struct SweepWish {
  enum class AfterFailure { go_on, stop };

  SweepBoard::RetryFailed retry = SweepBoard::RetryFailed::no;
  AfterFailure after_failure = AfterFailure::go_on;
};

struct SweepEnd {
  SweepBoard board;
  bool interrupted = false;      // by the wish to stop
  std::optional<Error> trouble;  // what kept further runs from being made
};

// Makes the runs of a sweep that are not over, as many at once as it says, in threads of this process, and returns when
// none of them goes on. Runs that an earlier process began are seen to their end. An error means that nothing was begun;
// a run that failed is none.
// REQUIRES: the caller has taken the sweep (SweepFiles::take).
Result<SweepEnd> make_runs(const Sweep& sweep, const SweepWish& wish, SweepPorts& ports);

}  // namespace trainyard
