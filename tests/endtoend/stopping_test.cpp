// SPDX-License-Identifier: Apache-2.0
// A run is stopped, or somebody who takes care of it dies: no run says Running for ever, and no work is lost that was
// done.
#include <catch2/catch.hpp>
#include <csignal>

#include "runner/processes/process_identity.hpp"
#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::stopping_test {
namespace {

using Clock = std::chrono::steady_clock;

Path some_data(const TestStore& store) {
  store.temp().write("data/one.txt", "one\n");
  return store.temp().path() / "data";
}

ProcessIdentity supervisor_of(const TestStore& store, const std::string& run) {
  const Json last = read_json_lines(*store.run_folder(run) / "journal.jsonl").back();
  const auto identity = ProcessIdentity::parse(last.at("job").get<std::string>());
  REQUIRE(identity.ok());
  return *identity;
}

Json status_of_run(const TestStore& store, const std::string& run) {
  for (const Json& listed : store.json({"runs", "list"})) {
    if (listed.at("name") == run) return listed.at("status");
  }
  return nullptr;
}

std::vector<std::string> states(const Path& run_folder) {
  std::vector<std::string> states;
  for (const Json& entry : read_json_lines(run_folder / "journal.jsonl"))
    states.push_back(entry.at("state").get<std::string>());
  return states;
}

TEST_CASE("Ctrl-C asks the package to stop, and the run is Killed") {
  TestStore store;
  store.add("slow");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string name = "stopped-" + std::to_string(signal);
    CAPTURE(name);
    RunningProgram program = store.start_training(name, "slow", some_data(store), {"--env", "seconds=600"});
    store.wait_for_the_call(name);
    const auto begin = Clock::now();
    program.signal(signal);
    const EndedRun run = store.end(name, program.wait());
    // The default grace is two minutes; this package stops when it is asked.
    CHECK(Clock::now() - begin < std::chrono::seconds(30));
    CHECK(run.output.status.code == 130);
    CHECK(run.status() == "Killed");
    CHECK(run.reason() == "stopped");
    CHECK_THAT(run.output.err, Catch::Contains("was killed (stopped): stopped by a user"));
    CHECK(run.version() == "");
    CHECK(states(run.folder) ==
          std::vector<std::string>{"Planned", "Staged", "Running", "Stopping", "Exited", "Failed"});
  }
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0"});
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("What a stopped run made for people so far is kept") {
  TestStore store;
  store.add("digits");
  RunningProgram program =
      store.start_training("stopped", "digits", Path(DIGITS_DATA) / "training", {"--env", "epochs=1000"});
  store.wait_for_the_call("stopped");
  const Path folder = *store.run_folder("stopped");
  REQUIRE(wait_until([&] { return read_text(folder / "events.jsonl").find("\"metric\"") != std::string::npos; }));
  program.signal(SIGINT);
  const EndedRun run = store.end("stopped", program.wait());
  CHECK(run.output.status.code == 130);
  CHECK(run.status() == "Killed");
  const auto artifacts = contents(run.folder / "artifacts");
  REQUIRE(artifacts.count("metrics.csv") == 1);
  CHECK_THAT(artifacts.at("metrics.csv"),
             Catch::StartsWith("epoch,loss,accuracy,validation_loss,validation_accuracy\n1,"));
  CHECK(run.results.at("run_summary").at("outputs").at("artifacts_data") == (run.folder / "artifacts").string());
  CHECK(run.traceability().at("artifacts").at("files") == artifacts.size());
  CHECK(run.traceability().at("metrics").at("loss").at("count").get<int>() >= 1);
}

TEST_CASE("A second Ctrl-C ends at once what does not stop") {
  TestStore store;
  store.add("ignores_cancel");
  RunningProgram program = store.start_training("deaf", "ignores_cancel", some_data(store), {"--env", "seconds=600"});
  store.wait_for_the_call("deaf");
  const ProcessIdentity supervisor = supervisor_of(store, "deaf");
  const auto begin = Clock::now();
  program.signal(SIGINT);
  REQUIRE(wait_until([&] { return states(*store.run_folder("deaf")).back() == "Stopping"; }));
  CHECK(is_running(supervisor));
  program.signal(SIGINT);
  const EndedRun run = store.end("deaf", program.wait());
  CHECK(Clock::now() - begin < std::chrono::seconds(30));
  CHECK(run.output.status.code == 130);
  CHECK(run.status() == "Killed");
  CHECK(run.reason() == "stopped");
  CHECK(run.traceability().at("attempts").at(0).at("signal") == SIGKILL);
  CHECK(store.leftovers() == "");
}

TEST_CASE("The grace that was given is kept") {
  TestStore store;
  store.add("ignores_cancel");
  RunningProgram program =
      store.start_training("deaf", "ignores_cancel", some_data(store), {"--env", "seconds=600", "--grace", "500ms"});
  store.wait_for_the_call("deaf");
  const auto begin = Clock::now();
  program.signal(SIGINT);
  const EndedRun run = store.end("deaf", program.wait());
  CHECK(Clock::now() - begin >= std::chrono::milliseconds(500));
  CHECK(Clock::now() - begin < std::chrono::seconds(30));
  CHECK(run.output.status.code == 130);
  CHECK(run.reason() == "stopped");
}

TEST_CASE("A run whose runner was killed goes on, and the next command publishes it") {
  TestStore store;
  store.add("slow");
  RunningProgram program =
      store.start_training("orphan", "slow", some_data(store), {"--env", "seconds=3", "--save-training-data"});
  store.wait_for_the_call("orphan");
  const ProcessIdentity supervisor = supervisor_of(store, "orphan");
  program.signal(SIGKILL);
  CHECK(program.wait().status.signal == SIGKILL);
  CHECK(status_of_run(store, "orphan") == "Running");
  CHECK(is_running(supervisor));
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0"});

  REQUIRE(wait_until([&] { return !is_running(supervisor); }));
  const ProgramOutput next = store.run({"package", "list"});
  CHECK(next.status.code == 0);
  CHECK(next.err == "trainyard: the run orphan, which its runner had left, ended as slow@1.1\n");
  CHECK_THAT(next.out, Catch::Contains("1.1"));
  CHECK(store.run({"package", "list"}).err == "");

  const EndedRun run = store.end("orphan", next);
  CHECK(run.status() == "Successful");
  CHECK(run.version() == "1.1");
  CHECK_FALSE(run.traceability().at("snapshot").is_null());
  CHECK(status_of_run(store, "orphan") == "Successful");
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("Commands at the same time end an orphaned run once") {
  TestStore store;
  store.add("slow");
  RunningProgram program = store.start_training("orphan", "slow", some_data(store), {"--env", "seconds=2"});
  store.wait_for_the_call("orphan");
  const ProcessIdentity supervisor = supervisor_of(store, "orphan");
  program.signal(SIGKILL);
  program.wait();
  REQUIRE(wait_until([&] { return !is_running(supervisor); }));
  std::vector<RunningProgram> commands;
  for (int i = 0; i < 6; ++i) commands.push_back(store.start({"runs", "list"}));
  int told = 0;
  for (RunningProgram& command : commands) {
    const ProgramOutput output = command.wait();
    INFO(output.err);
    CHECK(output.status.code == 0);
    if (output.err.find("ended as slow@1.1") != std::string::npos) {
      ++told;
    } else {
      CHECK(output.err == "");
    }
  }
  CHECK(told == 1);
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0", "1.1"});
}

TEST_CASE("A run whose supervisor was killed is lost") {
  TestStore store;
  store.add("slow");
  RunningProgram program = store.start_training("lost", "slow", some_data(store), {"--env", "seconds=600"});
  store.wait_for_the_call("lost");
  REQUIRE(::kill(supervisor_of(store, "lost").pid, SIGKILL) == 0);
  const EndedRun run = store.end("lost", program.wait());
  CHECK(run.output.status.code == 1);
  CHECK(run.status() == "Failed");
  CHECK(run.reason() == "lost");
  CHECK(run.version() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run whose runner and supervisor were killed is lost, and the next command says so") {
  TestStore store;
  store.add("slow");
  RunningProgram program = store.start_training("lost", "slow", some_data(store), {"--env", "seconds=600"});
  store.wait_for_the_call("lost");
  const ProcessIdentity supervisor = supervisor_of(store, "lost");
  program.signal(SIGKILL);
  program.wait();
  REQUIRE(::kill(supervisor.pid, SIGKILL) == 0);
  REQUIRE(wait_until([&] { return !is_running(supervisor); }));
  const ProgramOutput next = store.run({"runs", "list"});
  CHECK(next.status.code == 0);
  CHECK_THAT(next.err, Catch::Contains("the run lost, which its runner had left, has ended without a version"));
  CHECK_THAT(next.out, Catch::Contains("Failed") && Catch::Contains("lost"));
  const EndedRun run = store.end("lost", next);
  CHECK(run.status() == "Failed");
  CHECK(run.reason() == "lost");
  CHECK(run.version() == "");
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0"});
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

}  // namespace
}  // namespace trainyard::stopping_test
