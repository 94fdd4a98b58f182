// SPDX-License-Identifier: Apache-2.0
// Attempts that fail and are made again: how often, with what, and what is kept of them.
#include <catch2/catch.hpp>
#include <csignal>

#include "storage/values/instant.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::retries_test {
namespace {

struct Trying {
  TestStore store;
  Path data = store.temp().folder("data");

  Trying() {
    store.temp().write("data/x.csv", "1\n");
    store.add("tries");
  }
  EndedRun run(const Arguments& more) { return store.train("tries", data, more); }
  void check_clean() const {
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
};

std::vector<std::string> reasons_of(const EndedRun& run) {
  std::vector<std::string> reasons;
  for (const Json& attempt : run.traceability().at("attempts"))
    reasons.push_back(attempt.at("reason").get<std::string>());
  return reasons;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("A run is tried again until it succeeds, and every attempt is recorded") {
  Trying trying;
  const EndedRun run = trying.run({"--retries", "3", "--env", "failures=2"});
  CHECK(run.output.status.code == 0);
  CHECK(run.version() == "1.1");
  CHECK(has(run.output.err, "attempt 1 of 4 of the run run-1 failed (package_error): train: on purpose"));
  CHECK(has(run.output.err, "attempt 2 of 4"));
  CHECK(reasons_of(run) == Texts{"package_error", "package_error", "ok"});
  const Json& attempts = run.traceability().at("attempts");
  CHECK(attempts[0].at("message") == "train: on purpose");
  CHECK(attempts[2].at("message").is_null());
  CHECK(attempts[0].at("ended_at") < attempts[1].at("started_at"));
  // What one attempt wrote into its copy of the package and its artifacts is gone with it; checkpoints were found.
  CHECK(trying.store.must({"snapshot", "cat", "tries@1.1", "model.txt"}) == "3\n");
  const Json files = trying.store.json({"runs", "artifacts", "run-1"}).at("files");
  REQUIRE(files.size() == 1);
  CHECK(files[0].at("path") == "attempt_3");
  CHECK(trying.store.run({"snapshot", "cat", "tries@1.1", "left_by_1"}).status.code != 0);
  CHECK_FALSE(is_there(run.folder / "checkpoints"));
  // The metrics are those of the attempt that made the model, and so are the logs, unless others are asked for.
  CHECK(run.traceability().at("metrics").at("attempt").at("count") == 1);
  CHECK(run.traceability().at("metrics").at("attempt").at("last") == 3.0);
  CHECK(trying.store.must({"runs", "logs", "run-1"}) == "attempt 3\n");
  CHECK(trying.store.must({"runs", "logs", "run-1", "--attempt", "1"}) == "attempt 1\n");
  CHECK(trying.store.must({"runs", "logs", "run-1", "--attempt", "2", "--stream", "stdout"}) == "attempt 2\n");
  CHECK(has(trying.store.run({"runs", "logs", "run-1", "--attempt", "4"}).err, "has 3 attempts"));
  CHECK(has(trying.store.must({"runs", "show", "run-1"}), "3 of 4"));
  CHECK(has(trying.store.must({"runs", "metrics", "run-1", "--csv"}), "3"));
  CHECK(is_there(run.folder / "attempts/3/exit.json"));
  CHECK_FALSE(is_there(run.folder / "attempts/4"));
  trying.check_clean();
}

TEST_CASE("Which ends are tried again") {
  struct Row {
    const char* fault;
    std::size_t attempts;
    const char* reason;
  };
  const Row rows[] = {{"throws", 3, "package_error"},
                      {"exits", 3, "package_error"},
                      {"crashes", 3, "crashed"},
                      {"blames", 1, "invalid_input"}};
  Trying trying;
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    const EndedRun run =
        trying.run({"--retries", "2", "--env", "failures=9", "--env", "fault=" + std::string(row.fault)});
    CHECK(run.output.status.code == 1);
    CHECK(run.reason() == row.reason);
    CHECK(run.version().empty());
    CHECK(reasons_of(run) == Texts(row.attempts, row.reason));
    // A run that made nothing keeps its checkpoints.
    CHECK(read_text(run.folder / "checkpoints/attempts") == std::to_string(row.attempts) + "\n");
  }
  CHECK(reasons_of(trying.run({"--env", "failures=1"})) == Texts{"package_error"});
  trying.check_clean();
}

TEST_CASE("A run that is stopped is not tried again") {
  Trying trying;
  RunningProgram program = trying.store.start_training("stopped", "tries", trying.data,
                                                       {"--retries", "5", "--grace", "0s", "--env", "fault=hangs"});
  trying.store.wait_for_the_call("stopped");
  trying.store.must({"runs", "stop", "stopped"});
  const EndedRun run = trying.store.end("stopped", program.wait());
  CHECK(run.reason() == "stopped");
  CHECK(reasons_of(run) == Texts{"stopped"});
  trying.check_clean();
}

TEST_CASE("The longest time of a run is that of all its attempts") {
  Trying trying;
  const EndedRun run = trying.run({"--retries", "128", "--max-runtime", "1s", "--grace", "0s", "--env", "failures=200",
                                   "--env", "fault=takes a while"});
  CHECK(reasons_of(run) == Texts{"package_error", "max_runtime"});
  double seconds = 0;
  for (const Json& attempt : run.traceability().at("attempts")) {
    const auto time = [&](const char* key) { return *Instant::parse(attempt.at(key).get<std::string>()); };
    seconds += static_cast<double>(time("ended_at").microseconds - time("started_at").microseconds) / 1e6;
  }
  CHECK(seconds < 1.5);
  CHECK(run.reason() == "max_runtime");
  CHECK(run.status() == "Killed");
  CHECK(run.output.status.code == 4);
  trying.check_clean();
}

TEST_CASE("Data that changes between two attempts fails the run") {
  Trying trying;
  RunningProgram program = trying.store.start_training(
      "changed", "tries", trying.data, {"--retries", "5", "--mount", "copy", "--env", "fault=takes a while"});
  trying.store.wait_for_the_call("changed");
  trying.store.temp().write("data/x.csv", "2\n");
  const EndedRun run = trying.store.end("changed", program.wait());
  CHECK(run.reason() == "invalid_input");
  CHECK(has(run.message(), "has changed since the attempt before"));
  CHECK(reasons_of(run) == Texts{"package_error"});
  trying.check_clean();
}

TEST_CASE("A run whose runner is killed is tried again in the background") {
  Trying trying;
  RunningProgram program =
      trying.store.start_training("orphan", "tries", trying.data, {"--retries", "1", "--env", "fault=takes a while"});
  trying.store.wait_for_the_call("orphan");
  program.signal(SIGKILL);
  program.wait();
  const Path folder = *trying.store.run_folder("orphan");
  REQUIRE(wait_until([&] { return is_there(folder / "exit.json"); }));
  const ProgramOutput told = trying.store.run({"runs", "list"});
  CHECK(told.err == "trainyard: the run orphan, whose runner ended while it waited, goes on in the background\n");
  REQUIRE(wait_until([&] { return is_there(folder / "_results.json"); }));
  const EndedRun run = trying.store.end("orphan", told);
  CHECK(run.version() == "1.1");
  CHECK(reasons_of(run) == Texts{"package_error", "ok"});
  trying.check_clean();
}

TEST_CASE("An attempt whose supervisor is killed is made again, and nothing of it goes on") {
  Trying trying;
  RunningProgram program =
      trying.store.start_training("lost", "tries", trying.data,
                                  {"--retries", "1", "--env", "fault=hangs with a child", "--env", "failures=1",
                                   // So that the child is known here by the number that the package sees.
                                   "--without", "pid"});
  trying.store.wait_for_the_call("lost");
  const Path folder = *trying.store.run_folder("lost");
  REQUIRE(wait_until(
      [&] { return is_there(folder / "checkpoints/child") && !read_text(folder / "checkpoints/child").empty(); }));
  const pid_t child = std::stoi(read_text(folder / "checkpoints/child"));
  const std::string job = read_json_lines(folder / "journal.jsonl").back().at("job").get<std::string>();
  REQUIRE(job.starts_with("local:"));
  REQUIRE(::kill(std::stoi(job.substr(6)), SIGKILL) == 0);
  const EndedRun run = trying.store.end("lost", program.wait());
  CHECK(run.version() == "1.1");
  CHECK(reasons_of(run) == Texts{"lost", "ok"});
  CHECK(run.traceability().at("attempts")[0].at("exit_code").is_null());
  const auto state = read_file("/proc/" + std::to_string(child) + "/stat", 4096);
  CHECK((!state.ok() || has(*state, ") Z ")));
  trying.check_clean();
}

TEST_CASE("Logs are followed from one attempt to the next") {
  Trying trying;
  std::string id = trying.store.must({"run", "training", "tries", "--dataset", trying.data.string(), "--detach",
                                      "--retries", "2", "--env", "failures=2", "--env", "fault=takes a while"});
  id.pop_back();
  const ProgramOutput log = trying.store.run({"runs", "logs", id, "--follow"});
  CHECK(log.out == "attempt 1\nattempt 2\nattempt 3\n");
}

TEST_CASE("A Python package finds its checkpoints too") {
  TestStore store;
  store.must({"package", "add", std::string(TRAINYARD_PYTHON_PACKAGES_DIR) + "/tries_python"});
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  const EndedRun run = store.train("tries_python", data, {"--retries", "2", "--env", "failures=2"});
  CHECK(run.version() == "1.1");
  CHECK(reasons_of(run) == Texts{"package_error", "package_error", "ok"});
  CHECK(store.must({"snapshot", "cat", "tries_python@1.1", "model.txt"}) == "3");
}

}  // namespace trainyard::retries_test
