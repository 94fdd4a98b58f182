// SPDX-License-Identifier: Apache-2.0
// The processes of a run die in the middle of its job, alone and in pairs.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "runner/processes/process.hpp"
#include "runner/processes/process_identity.hpp"
#include "tests/fault/fault_checks.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kLong{20};
// Far longer than any test: a job that ends does so because somebody ended it.
constexpr const char* kForever = "600";

std::string content(const Path& file) {
  std::ifstream in(file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class Condition>
void wait_for(const char* what, const Condition& condition) {
  const auto give_up = steady_clock::now() + kLong;
  while (!condition()) {
    if (steady_clock::now() > give_up) throw std::runtime_error(std::string("in vain waited for ") + what);
    std::this_thread::sleep_for(milliseconds(2));
  }
}

// Returns when it is dead indeed: until then it holds its locks, and is found running.
void kill(pid_t pid) {
  const auto identity = ProcessIdentity::of(pid);
  if (pid <= 1 || !identity.ok() || ::kill(pid, SIGKILL) != 0)
    throw std::runtime_error("cannot kill the process " + std::to_string(pid));
  wait_for("a process to die", [&] { return !is_running(*identity); });
}

// job.claim holds "local:<pid>:…".
void kill_supervisor_of(const Path& run_folder) { kill(std::stoi(content(run_folder / "job.claim").substr(6))); }

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
  [[nodiscard]] Path folder() const {
    const auto runs = list_folder(store_.root() / "runs");
    return store_.root() / "runs" / (runs.ok() && !runs->empty() ? runs->front() : std::string("none"));
  }
  Process& runner() { return *runner_; }

  void kill_runner() { kill(runner_->pid()); }
  void kill_supervisor() { kill_supervisor_of(folder()); }
  // The one process of this store that is called so.
  void kill_inner() {
    for (const pid_t pid : store_.processes()) {
      if (content(Path("/proc") / std::to_string(pid) / "comm") == "trainyard-inner\n") return kill(pid);
    }
    throw std::runtime_error("the job has no process");
  }

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

TEST_CASE("a job whose supervisor dies is lost, and its runner says so", "[processes]") {
  SlowRun run(kForever);
  run.kill_supervisor();
  REQUIRE(run.runner_code() == 1);
  require_end(run, "Failed", "lost");
}

TEST_CASE("a job whose process is killed has crashed, and its runner says so", "[processes]") {
  SlowRun run(kForever);
  run.kill_inner();
  REQUIRE(run.runner_code() == 1);
  require_end(run, "Failed", "crashed");
}

TEST_CASE("a job whose supervisor and process are killed is lost", "[processes]") {
  SlowRun run(kForever);
  run.kill_supervisor();
  try {
    run.kill_inner();
  } catch (const std::runtime_error&) {
    // It has followed its supervisor already.
  }
  REQUIRE(run.runner_code() == 1);
  require_end(run, "Failed", "lost");
}

TEST_CASE("a runner and a supervisor that die together leave a lost run", "[processes]") {
  SlowRun run(kForever);
  SECTION("the runner first") {
    run.kill_runner();
    run.kill_supervisor();
  }
  SECTION("the supervisor first") {
    run.kill_supervisor();
    run.kill_runner();
  }
  require_end(run, "Failed", "lost");
}

TEST_CASE("a runner and a job that die together leave a crashed run", "[processes]") {
  SlowRun run(kForever);
  run.kill_runner();
  run.kill_inner();
  require_end(run, "Failed", "crashed");
}

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

TEST_CASE("a runner that dies while it stops a job leaves a stopped run", "[processes]") {
  SlowRun run(kForever);
  REQUIRE(run.runner().signal(SIGINT).ok());
  wait_for("the state Stopping", [&] { return run.store().last_state() != "Running"; });
  run.kill_runner();
  require_end(run, "Killed", "stopped");
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

}  // namespace trainyard
