// SPDX-License-Identifier: Apache-2.0
// What a run comes to whose runner is gone, or whose files cannot be read. Who may die when is in deaths_test.cpp.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "runner/processes/process.hpp"
#include "tests/fault/fault_checks.hpp"
#include "tests/fault/run_processes.hpp"

namespace trainyard::process_death_test {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kLong{20};
// Far longer than any test: a job that ends does so because somebody ended it.
constexpr const char* kForever = "600";

// job.claim holds "local:<pid>:…".
void kill_supervisor_of(const Path& run_folder) {
  kill_and_wait(std::stoi(content(run_folder / "job.claim").substr(6)));
}

// A run of `slow` whose job works.
class SlowRun {
 public:
  explicit SlowRun(const std::string& seconds) : store_(FaultStore::fresh()) {
    SpawnOptions options;
    options.argv = {TRAINYARD_PROGRAM, "run",
                    "training",        "slow",
                    "--dataset",       FaultStore::dataset().string(),
                    "--env",           "seconds=" + seconds,
                    "--grace",         "10s",
                    "--store",         store_.root().string()};
    options.environment = {{"PATH", "/usr/bin:/bin"}};
    auto spawned = Process::spawn(options);
    if (!spawned.ok()) throw std::runtime_error(spawned.error().message);
    runner_.emplace(std::move(*spawned));
    wait_for("the package to work",
             [&] { return content(folder() / "events.jsonl").find("progress") != std::string::npos; });
    wait_for("the state Running", [&] { return store_.last_state() == "Running"; });
  }

  [[nodiscard]] const FaultStore& store() const { return store_; }
  [[nodiscard]] Path folder() const { return only_run(store_); }
  void kill_runner() { kill_and_wait(runner_->pid()); }
  std::optional<int> runner_code() {
    const auto status = runner_->wait(std::chrono::duration_cast<milliseconds>(kLong));
    if (!status.ok() || !*status) throw std::runtime_error("the runner does not end");
    return (*status)->code;
  }

 private:
  FaultStore store_;
  std::optional<Process> runner_;
};

void require_end(const SlowRun& run, const std::string& status, const std::string& reason) {
  run.store().wait_until_quiet();
  const StoreLook look = require_promises(run.store());
  REQUIRE(look.runs.size() == 1);
  REQUIRE(look.runs[0].at("status") == status);
  REQUIRE(look.runs[0].at("reason") == reason);
  require_next_training(run.store(), look);
}

}  // namespace

TEST_CASE("a job goes on without its runner, and the next command after its end takes what it made", "[processes]") {
  SlowRun run("1.5");
  run.kill_runner();
  const auto before = steady_clock::now();
  const Json runs = run.store().list_runs();
  // It looks and does not wait.
  REQUIRE(steady_clock::now() - before < milliseconds(1000));
  REQUIRE(runs.at(0).at("status") == "Running");
  require_end(run, "Successful", "ok");
}

TEST_CASE("a job that was started and not noted is noted, and not waited for", "[processes]") {
  const auto words = [](const char* seconds) {
    return std::vector<std::string>{"run",
                                    "training",
                                    "slow",
                                    "--dataset",
                                    FaultStore::dataset().string(),
                                    "--env",
                                    std::string("seconds=") + seconds};
  };
  const CommandEnd whole = FaultStore(FaultStore::fresh()).run(words("0"), Fault{});
  const std::size_t start = journal_calls(whole).at(2) - 1;
  REQUIRE(whole.calls.at(start - 1).find("posix_spawn") != std::string::npos);

  const FaultStore store(FaultStore::fresh());
  REQUIRE(store.run(words(kForever), Fault{start, Fault::Mode::kill_after}).signal == SIGKILL);
  REQUIRE(store.last_state() == "Staged");
  const Path folder = store.root() / "runs" / list_folder(store.root() / "runs").value().at(0);
  wait_for("the package to work",
           [&] { return content(folder / "events.jsonl").find("progress") != std::string::npos; });
  REQUIRE(store.list_runs().at(0).at("status") == "Running");
  REQUIRE(store.last_state() == "Running");
  kill_supervisor_of(folder);
  store.wait_until_quiet();
  REQUIRE(require_promises(store).runs.at(0).at("reason") == "lost");
}

TEST_CASE("a version is not deleted before the run that makes it is over", "[processes]") {
  const std::vector<std::string> words = {"run", "training", "counts", "--dataset", FaultStore::dataset().string()};
  const std::size_t after = journal_calls(FaultStore(FaultStore::fresh()).run(words, Fault{})).back() + 2;
  const FaultStore store(FaultStore::fresh());
  const TempFolder told;
  Process runner = store.start(words, told.path() / "told", Fault{after, Fault::Mode::pause});
  wait_for("the runner to pause", [&] { return is_paused(runner.pid()); });
  REQUIRE(store.last_state() == "Published");
  const std::vector<std::string> deletion = {"package", "delete", "counts@1.1", "--why", "too early"};
  const CommandEnd early = store.run(deletion);
  INFO(early.story());
  REQUIRE(early.code == 3);
  REQUIRE(early.err.find("is making counts@1.1 and is not over") != std::string::npos);
  REQUIRE(runner.signal(SIGCONT).ok());
  const auto status = runner.wait(kLong);
  REQUIRE(status.ok());
  REQUIRE((*status)->code == 0);
  require_promises(store);
  REQUIRE(store.run(deletion).code == 0);
}

TEST_CASE("a job whose exit cannot be read is ended with its run", "[processes]") {
  SlowRun run(kForever);
  std::ofstream((run.folder() / "exit.json").string()) << "not an exit";
  REQUIRE(run.runner_code() == 3);
  require_end(run, "Failed", "store_error");
}

TEST_CASE("a run whose events cannot be read is ended all the same", "[processes]") {
  SlowRun run("0.5");
  run.kill_runner();
  run.store().wait_until_quiet();
  REQUIRE(remove_file(run.folder() / "events.jsonl").ok());
  REQUIRE(make_folder(run.folder() / "events.jsonl").ok());
  require_end(run, "Failed", "store_error");
}

}  // namespace trainyard::process_death_test
