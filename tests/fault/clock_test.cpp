// SPDX-License-Identifier: Apache-2.0
// Somebody sets the clock of the machine, back or forward, in the middle of everything: what was measured stays measured,
// what is written down stays in order, and who waits keeps its place.
#include <catch2/catch.hpp>
#include <csignal>

#include "runner/processes/run_program.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/values/instant.hpp"
#include "tests/fault/fault_checks.hpp"
#include "tests/fault/run_processes.hpp"

namespace trainyard::clock_test {

namespace {

using Words = std::vector<std::string>;
using std::chrono::steady_clock;

constexpr long kHour = 3600;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::vector<Json> lines_of(const Path& file) {
  std::vector<Json> lines;
  const auto texts = RunFolder::lines(file);
  REQUIRE(texts.ok());
  for (const std::string& line : *texts) lines.push_back(Json::parse(line));
  return lines;
}

// In microseconds.
std::int64_t time_of(const Json& object, const char* key) {
  return Instant::parse(object.at(key).get<std::string>()).value().microseconds;
}

void require_in_order(const Path& file) {
  INFO(file);
  std::int64_t last = 0;
  const std::vector<Json> lines = lines_of(file);
  for (const Json& line : lines) {
    INFO(line);
    REQUIRE(time_of(line, "time") >= last);
    last = time_of(line, "time");
  }
}

// A store whose programs may find that the clock was set.
class Clock {
 public:
  Clock() = default;

  [[nodiscard]] const FaultStore& store() const { return store_; }
  void set() { files_.write("set", ""); }
  [[nodiscard]] Fault fault(long seconds) const {
    Fault fault;
    fault.clock_file = (files_.path() / "set").string();
    fault.clock_seconds = seconds;
    return fault;
  }
  [[nodiscard]] Process start(long seconds, const Words& words) const {
    return store_.start(words, files_.path() / "told", fault(seconds));
  }
  [[nodiscard]] std::optional<int> end_of(Process& process) const {
    const auto status = process.wait(std::chrono::seconds(20));
    if (!status.ok() || !*status) throw std::runtime_error("it does not end: " + content(files_.path() / "told"));
    return (*status)->code;
  }
  [[nodiscard]] Json results() const { return Json::parse(content(only_run(store_) / "_results.json")); }

  // That of the only run, which took at least so long and not much longer.
  void require_times(double least) const {
    const Path folder = only_run(store_);
    require_in_order(folder / "journal.jsonl");
    require_in_order(folder / "log_index.jsonl");
    const Json told = results();
    const Json& summary = told.at("run_summary");
    INFO(told);
    REQUIRE(summary.at("execution_time").get<double>() >= least);
    REQUIRE(summary.at("execution_time").get<double>() < least + 15);
    for (const Json& attempt : told.at("traceability").at("attempts"))
      REQUIRE(time_of(attempt, "ended_at") >= time_of(attempt, "started_at"));
    for (const Json& run : store_.list_runs()) REQUIRE(run.at("seconds").get<double>() >= least);
    const auto checked = run_program({TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_SCHEMAS, "--schema", "results",
                                      (folder / "_results.json").string()},
                                     {{"PATH", "/usr/bin:/bin"}}, "/", "", std::chrono::seconds(60));
    REQUIRE(checked.ok());
    INFO(checked->err);
    REQUIRE(checked->status.code == 0);
  }

 private:
  FaultStore store_{FaultStore::fresh()};
  TempFolder files_;
};

Words training_of(const char* package, const Words& more) {
  Words words = {"run", "training", package, "--dataset", FaultStore::dataset().string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void wait_until_called(const FaultStore& store) {
  wait_for("the package to be called", [&] { return is_called(store); });
}

}  // namespace

TEST_CASE("a run tells how long it took, whoever set the clock", "[clock]") {
  for (const long step : {-kHour, kHour}) {
    INFO("the clock is set by " << step << " s");
    Clock clock;
    Process runner = clock.start(step, training_of("slow", {"--env", "seconds=0.5"}));
    wait_until_called(clock.store());
    clock.set();
    REQUIRE(clock.end_of(runner) == 0);
    clock.require_times(0.5);
    require_promises(clock.store());
  }
}

TEST_CASE("a run that another process goes on with after the clock was set back has a story in order", "[clock]") {
  Clock clock;
  Process runner = clock.start(-kHour, training_of("slow", {"--env", "seconds=0.5"}));
  wait_until_called(clock.store());
  wait_for("the state Running", [&] { return clock.store().last_state() == "Running"; });
  kill_and_wait(runner.pid());
  clock.set();
  const CommandEnd looked = clock.store().run({"runs", "list", "--json"}, clock.fault(-kHour));
  REQUIRE(looked.code == 0);
  REQUIRE(Json::parse(looked.out).at(0).at("seconds").get<double>() >= 0);
  clock.store().wait_until_quiet();
  REQUIRE(clock.store().run({"runs", "list"}, clock.fault(-kHour)).code == 0);
  clock.require_times(0);
  require_promises(clock.store());
}

TEST_CASE("the longest time of a run passes by no clock that can be set", "[clock]") {
  const Words once = {"--env", "seconds=600", "--max-runtime", "1s"};
  const Words again = {"--env",     "failures=100", "--env",         "fault=takes a while",
                       "--retries", "100",          "--max-runtime", "1500ms"};
  for (const long step : {-kHour, kHour}) {
    for (const bool one_attempt : {true, false}) {
      INFO("the clock is set by " << step << " s" << (one_attempt ? "" : ", many attempts"));
      Clock clock;
      const auto begin = steady_clock::now();
      Process runner = clock.start(step, one_attempt ? training_of("slow", once) : training_of("tries", again));
      wait_until_called(clock.store());
      clock.set();
      REQUIRE(clock.end_of(runner) == 4);
      REQUIRE(seconds_since(begin) > 0.9);
      REQUIRE(seconds_since(begin) < 10);
      const std::size_t attempts = clock.results().at("traceability").at("attempts").size();
      REQUIRE(attempts >= (one_attempt ? 1 : 2));
      REQUIRE(attempts <= (one_attempt ? 1 : 3));
      clock.require_times(1);
    }
  }
}

TEST_CASE("a package that is asked to stop has its grace, whoever sets the clock", "[clock]") {
  for (const long step : {-kHour, kHour}) {
    INFO("the clock is set by " << step << " s");
    Clock clock;
    Process runner = clock.start(step, training_of("faulty", {"--env", "fault=train hangs", "--grace", "1s"}));
    wait_until_called(clock.store());
    const auto begin = steady_clock::now();
    REQUIRE(runner.signal(SIGINT).ok());
    wait_for("the state Stopping", [&] { return clock.store().last_state() == "Stopping"; });
    clock.set();
    REQUIRE(clock.end_of(runner) == 130);
    REQUIRE(seconds_since(begin) > 0.9);
    REQUIRE(seconds_since(begin) < 10);
    clock.require_times(1);
  }
}

TEST_CASE("a run that begins after the clock was set back waits behind those before it", "[clock]") {
  Clock clock;
  const FaultStore& store = clock.store();
  REQUIRE(store.run({"store", "config", "slots", "1"}).code == 0);
  const auto named = [](const char* name) { return training_of("counts", {"--name", name}); };
  const TempFolder told;
  Process first = store.start(training_of("slow", {"--env", "seconds=600", "--name", "first"}), told.path() / "first");
  wait_until_called(store);
  const auto waits = [&](const std::string& name) {
    wait_for("a run to wait", [&] {
      return store.run({"runs", "list", "--status", "Queued"}).out.find(name) != std::string::npos;
    });
  };
  Process second = store.start(named("second"), told.path() / "second");
  waits("second");
  clock.set();
  Process third = clock.start(-kHour, named("third"));
  waits("third");
  REQUIRE(store.run({"runs", "stop", "first", "--now"}).code == 0);
  REQUIRE(clock.end_of(second) == 0);
  REQUIRE(clock.end_of(third) == 0);
  const StoreLook look = require_promises(store);
  REQUIRE(look.runs.size() == 3);
  for (const Json& run : look.runs) {
    if (run.at("name") == "second") REQUIRE(run.at("version") == "1.1");
    if (run.at("name") == "third") REQUIRE(run.at("version") == "1.2");
  }
}

TEST_CASE("a collection of garbage takes nothing that is in use, whatever the clock says", "[clock]") {
  for (const long step : {-kHour, 1000 * kHour}) {
    INFO("the clock is set by " << step << " s");
    Clock clock;
    const Words words = training_of("counts", {"--save-training-data"});
    const std::vector<std::size_t> entries = journal_calls(FaultStore(FaultStore::fresh()).run(words, Fault{}));
    // In the middle of keeping what the package made, with scratch files of its own.
    const TempFolder told;
    Process runner = clock.store().start(words, told.path() / "told", Fault{entries.at(5) - 12, Fault::Mode::pause});
    wait_for("the runner to pause", [&] { return is_paused(runner.pid()); });
    clock.set();
    const CommandEnd collected = clock.store().run({"store", "gc", "--apply-now", "--no-wait"}, clock.fault(step));
    INFO(collected.story());
    require_orderly_end(collected);
    REQUIRE(runner.signal(SIGCONT).ok());
    REQUIRE(clock.end_of(runner) == 0);
    REQUIRE(clock.store().run({"store", "gc", "--apply-now"}, clock.fault(step)).code == 0);
    const StoreLook look = require_promises(clock.store());
    REQUIRE(look.counts.size() == 2);
  }
}

}  // namespace trainyard::clock_test
