// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/sweeping.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>

#include "runner/core/run_definition.hpp"
#include "runner/engine/data_resolution.hpp"
#include "runner/engine/run_control.hpp"
#include "runner/engine/run_engine.hpp"
#include "runner/engine/stored_run_record.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::milliseconds kBetweenProgress{100};
constexpr std::chrono::milliseconds kBetweenLooksAtOthers{100};

// Where the store itself is in trouble, every further run would be.
bool ends_the_sweep(const Error& error) {
  return error.code == Errc::io || error.code == Errc::corrupt || error.code == Errc::unavailable;
}

// The runs of one sweep, while threads of this process make them.
class SweepDrive {
 public:
  SweepDrive(SweepBoard board, const SweepWish& wish, SweepPorts& ports)
      : board_(std::move(board)), wish_(wish), ports_(ports) {}

  SweepEnd drive() {
    for (const Rung& rung : board_.rungs()) {
      if (is_halted()) break;
      make_rung(rung);
      if (is_halted() || !board_.is_settled(rung.number)) break;
      const bool last = static_cast<std::size_t>(rung.number) == board_.rungs().size();
      if (!last && board_.members(rung.number + 1).empty()) {
        ports_.observer.noticed("no point of rung " + std::to_string(rung.number) + " has a value of " +
                                board_.sweep().metric.value_or("") + ", so none goes on");
        break;
      }
    }
    const bool stopped = ports_.observer.stop_wish() != StopWish::none && !board_.is_finished();
    return SweepEnd{std::move(board_), stopped, std::move(trouble_)};
  }

 private:
  // One run, seen by the thread that drives it.
  class Watch final : public RunObserver {
   public:
    Watch(SweepDrive& drive, SweepTrial& trial) : drive_(drive), trial_(trial) {}
    void began(const RunPlan& plan) override {
      trial_.run = plan.run.text();
      trial_.name = plan.name.text();
      drive_.note(trial_);
    }
    void noticed(const std::string& sentence) override { drive_.tell(sentence); }
    StopWish stop_wish() override { return drive_.ports_.observer.stop_wish(); }

   private:
    SweepDrive& drive_;
    SweepTrial& trial_;
  };

  bool is_halted() {
    const std::lock_guard lock(mutex_);
    return halted_ || ports_.observer.stop_wish() != StopWish::none;
  }

  void tell(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    sentences_.push_back(sentence);
  }

  void note(const SweepTrial& trial) {
    const std::lock_guard lock(mutex_);
    board_.set(trial);
  }

  void make_rung(const Rung& rung) {
    open_ = board_.open_trials(rung.number, wish_.retry);
    if (open_.empty()) return;
    next_ = 0;
    progress_ = {rung.number, static_cast<int>(board_.rungs().size()), open_.size(), 0, 0, 0, std::nullopt};
    for (const std::size_t point : board_.members(rung.number)) consider(board_.trial(rung.number, point));
    std::vector<std::jthread> threads;
    const std::size_t most = std::min(open_.size(), static_cast<std::size_t>(board_.sweep().at_once));
    serving_ = most;
    for (std::size_t i = 0; i < most; ++i) {
      try {
        threads.emplace_back([this] { serve(); });
      } catch (const std::system_error&) {
        const std::lock_guard lock(mutex_);
        serving_ -= most - i;
        if (i == 0)
          halt(fail(Errc::unavailable, "the system gives this process no threads, in which it would make runs"));
        break;
      }
    }
    watch_until_all_have_ended();
  }

  void watch_until_all_have_ended() {
    for (;;) {
      std::unique_lock lock(mutex_);
      const bool over = changed_.wait_for(lock, kBetweenProgress, [&] { return serving_ == 0; });
      const SweepProgress progress = progress_;
      const std::vector<std::string> sentences = std::exchange(sentences_, {});
      lock.unlock();
      for (const std::string& sentence : sentences) ports_.observer.noticed(sentence);
      ports_.observer.progressed(progress);
      if (over) return;
    }
  }

  // In a thread of its own.
  void serve() {
    while (auto trial = take()) finish(make(*trial));
    const std::lock_guard lock(mutex_);
    --serving_;
    changed_.notify_all();
  }

  std::optional<SweepTrial> take() {
    const std::lock_guard lock(mutex_);
    if (halted_ || next_ == open_.size() || ports_.observer.stop_wish() != StopWish::none) return std::nullopt;
    ++progress_.running;
    return open_[next_++];
  }

  SweepTrial make(SweepTrial trial) {
    if (trial.standing != SweepTrial::Standing::running) trial = SweepTrial{trial.point, trial.rung};
    trial.standing = SweepTrial::Standing::running;
    Result<SweepTrial> made = trial;
    try {
      made = carry_out(trial);
    } catch (const std::bad_alloc&) {
      made = fail(Errc::unavailable, "memory ran out");
    } catch (const std::exception& error) {
      made = fail(Errc::io, std::string("a mistake of Trainyard itself, please report it: ") + error.what());
    }
    if (made.ok()) return std::move(*made);
    const Error& error = made.error();
    if (!ends_the_sweep(error) && error.code != Errc::cancelled) {
      trial.standing = SweepTrial::Standing::failed;
      trial.message = error.message;
      return trial;
    }
    // What a run that exists has come to is for the next command to find out.
    if (trial.run.empty()) trial.standing = SweepTrial::Standing::not_run;
    const std::lock_guard lock(mutex_);
    if (error.code != Errc::cancelled) halt(error);
    return trial;
  }

  // An error says that there is no run, or that it cannot be told how it ended.
  Result<SweepTrial> carry_out(SweepTrial& trial) {
    const Store store = TRY(Store::open(ports_.store.root()));
    Watch watch(*this, trial);
    RunPorts ports = TRY(ports_.run_ports(store, watch));
    if (!trial.run.empty()) {
      TRY(see_to_end(TRY(RunId::parse(trial.run)), ports));
    } else {
      const Sweep& sweep = board_.sweep();
      const RunReport report =
          TRY(run(request_for(sweep, trial.point, board_.point(trial.point), board_.rung(trial.rung)), ports));
      ports_.ended(report.plan, store);
    }
    const auto record = TRY(read_run_record(TRY(RunId::parse(trial.run)), store));
    if (!record) return fail(Errc::not_found, "the run " + trial.name + " was deleted before its end was seen");
    SweepTrial ended = trial_of(*record, board_.sweep().metric, trial.point, trial.rung);
    ended.name = trial.name;
    if (ended.standing == SweepTrial::Standing::succeeded && !ended.value) note_unmeasured(*record, ended);
    return ended;
  }

  // A run that another process began, and which that one or a third may drive still.
  Result<void> see_to_end(const RunId& run, RunPorts& ports) {
    const RunFolder folder = RunFolders(ports.store.runs(), ports.store.active()).folder(run);
    for (;;) {
      const auto report = TRY(go_on(run, ports));
      if (report) ports_.ended(report->plan, ports.store);
      if (report || is_there(folder.results()) || !is_there(folder.path())) return {};
      if (const StopWish wish = ports_.observer.stop_wish(); wish != StopWish::none)
        static_cast<void>(ask_run_to_stop(run, wish, ports.store));
      std::this_thread::sleep_for(kBetweenLooksAtOthers);
    }
  }

  // Who has mistyped the metric of a halving shall not have to wait for a whole rung to be told.
  void note_unmeasured(const RunRecord& record, const SweepTrial& trial) {
    const Sweep& sweep = board_.sweep();
    const std::lock_guard lock(mutex_);
    if (!sweep.metric || progress_.best || told_unmeasured_) return;
    const std::vector<std::string> measured = measured_in(record);
    std::string names;
    for (const std::string& name : measured) names += (names.empty() ? "" : ", ") + name;
    const std::string sentence = "the run " + trial.name + " has measured no finite number as '" + *sweep.metric +
                                 "'; it has measured " + (names.empty() ? "nothing" : names) +
                                 did_you_mean(*sweep.metric, measured);
    told_unmeasured_ = true;
    if (sweep.halving) {
      halt(fail(Errc::package_failed, sentence));
    } else {
      sentences_.push_back(sentence);
    }
  }

  void finish(const SweepTrial& trial) {
    const std::lock_guard lock(mutex_);
    board_.set(trial);
    --progress_.running;
    if (trial.standing == SweepTrial::Standing::not_run) return;
    ++progress_.done;
    consider(trial);
    if (trial.standing != SweepTrial::Standing::failed) return;
    ++progress_.failed;
    sentences_.push_back("point " + std::to_string(trial.point) + " failed" +
                         (trial.name.empty() ? "" : " in the run " + trial.name) + ": " + trial.message);
    if (wish_.after_failure == SweepWish::AfterFailure::stop) halted_ = true;
  }

  // REQUIRES: the mutex is held, or no thread runs.
  void consider(const SweepTrial& trial) {
    if (trial.standing != SweepTrial::Standing::succeeded || !trial.value) return;
    std::vector<Achieved> two = {{trial.point, trial.value}};
    if (progress_.best) two.push_back({progress_.best->point, progress_.best->value});
    if (best_first(two, board_.sweep().goal).front().point == trial.point) progress_.best = trial;
  }

  // REQUIRES: the mutex is held.
  void halt(const Error& why) {
    halted_ = true;
    if (!trouble_) trouble_ = why;
  }

  SweepBoard board_;  // its definition is read by all threads, the rest of it with the mutex
  SweepWish wish_;
  SweepPorts& ports_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SweepTrial> open_;  // of this rung
  std::size_t next_ = 0;
  std::size_t serving_ = 0;  // threads
  bool halted_ = false;      // no further run is begun
  bool told_unmeasured_ = false;
  std::optional<Error> trouble_;
  SweepProgress progress_;
  std::vector<std::string> sentences_;
};

// Two values that are one to the package, such as 0.3 and 0.30, are one.
Digest meaning_of(RunPlan plan) {
  for (const Parameter& parameter : plan.parameters) plan.environment[parameter.name] = text_of(parameter.value);
  return definition_of(plan);
}

// The version of a dataset of the store that is meant now.
Result<std::string> settle_data(const std::string& dataset, RunPorts& ports) {
  const ResolvedData data = TRY(resolve_data(dataset, ports));
  // Its content stays in the store as long as that keeps it; each run looks for itself.
  ports.store.objects().release();
  return data.source.dataset ? data.source.dataset->text() : data.dataset;
}

}  // namespace

Result<void> settle_sweep(Sweep& sweep, RunPorts& ports) {
  const SweepBoard board = TRY(SweepBoard::of(sweep));
  std::vector<RunVariation> variations;
  for (std::size_t point = 1; point <= board.points().size(); ++point)
    variations.push_back(board.values_of({point, 1}));
  for (const Rung& rung : board.rungs()) {
    if (rung.number > 1) variations.push_back(board.values_of({1, rung.number}));
  }
  std::set<Digest> definitions;
  std::optional<PackageVersion> version;
  TRY(plan_before_data(sweep.request, variations, ports, [&](const RunPlan& plan) -> Result<void> {
    version = plan.parent.version;
    if (definitions.insert(meaning_of(plan)).second) return {};
    return fail(Errc::invalid, "point " + std::to_string(definitions.size() + 1) +
                                   " of the sweep is the same run as one before it; give each value once");
  }));
  sweep.request.package = PackageReference{sweep.request.package.name, version};
  sweep.request.dataset = TRY(settle_data(sweep.request.dataset, ports));
  if (sweep.request.evaluation_dataset)
    sweep.request.evaluation_dataset = TRY(settle_data(*sweep.request.evaluation_dataset, ports));
  return {};
}

Result<SweepEnd> make_runs(const Sweep& sweep, const SweepWish& wish, SweepPorts& ports) {
  SweepBoard board = TRY(read_board(sweep, ports.store, ports.find_runs));
  return SweepDrive(std::move(board), wish, ports).drive();
}

}  // namespace trainyard
