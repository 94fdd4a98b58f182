// SPDX-License-Identifier: Apache-2.0
// Packages that are odd but within their rights, and what reaches them.
#include <signal.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>

#include "tests/support/test_store.hpp"

namespace trainyard::well_behaved_packages_test {
namespace {

Path some_data(const TestStore& store) {
  store.temp().write("data/one.txt", "one\n");
  store.temp().write("data/deeper/two.txt", "two two\n");
  return store.temp().path() / "data";
}

TEST_CASE("Parameters of all four types reach the package, and its metrics reach the results") {
  TestStore store;
  store.add("counts");
  const EndedRun run = store.train("counts", some_data(store),
                                   {"--env", "epochs=4", "-e", "learning_rate=0.5", "-e", "optimizer=adam", "-e",
                                    "shuffle=False", "-e", "mine=Ünïcode = x"});
  INFO(run.output.err);
  REQUIRE(run.output.status.code == 0);
  CHECK(read_text(run.folder / "artifacts" / "report.txt") ==
        "trainings 1\nfiles 2\nbytes 12\nepochs 4\nlearning_rate 0.5\noptimizer adam\nshuffle false\n");
  const Json& typed = run.traceability().at("hyperparameters");
  CHECK(typed == Json({{"epochs", 4}, {"learning_rate", 0.5}, {"optimizer", "adam"}, {"shuffle", false}}));
  const Json& env = run.results.at("parameters").at("env");
  CHECK(env.at("shuffle") == "False");
  CHECK(env.at("mine") == "Ünïcode = x");
  CHECK(run.traceability().at("metrics").at("loss") ==
        Json({{"count", 4}, {"last", 0.125}, {"last_step", 4}, {"min", 0.125}, {"max", 0.5}}));
  CHECK(store.must({"runs", "logs", "run-1", "--stream", "stdout"}) ==
        "log_loss=0.500000\nlog_loss=0.250000\nlog_loss=0.166667\nlog_loss=0.125000\n");
  // The saved model is what the next version begins with.
  const EndedRun next = store.train("counts", some_data(store));
  CHECK_THAT(read_text(next.folder / "artifacts" / "report.txt"), Catch::Contains("trainings 2\n"));
}

TEST_CASE("Every byte of a flood of output is kept, down to a last line without its end") {
  TestStore store;
  store.add("chatty");
  const EndedRun run = store.train("chatty", some_data(store));
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  for (const char* const stream : {"stdout", "stderr"}) {
    std::string expected;
    char line[64];
    for (int i = 1; i <= 200000; ++i)
      expected.append(line, static_cast<std::size_t>(std::snprintf(line, sizeof(line), "%s line %06d\n", stream, i)));
    expected += std::string("chatty: the last words of ") + stream;
    // Not compared by CHECK itself, which would print megabytes.
    const bool kept = read_text(run.folder / (std::string(stream) + ".log")) == expected;
    CHECK(kept);
    const ProgramOutput shown = store.run({"runs", "logs", "run-1", "--stream", stream});
    const bool printed = (stream == std::string("stdout") ? shown.out : shown.err) == expected;
    CHECK(printed);
  }
}

TEST_CASE("A package that cannot let go of its model has saved it by then") {
  TestStore store;
  store.add("destroys_badly");
  const EndedRun run = store.train("destroys_badly", some_data(store), crash_plainly());
  CHECK(run.output.status.code == 0);
  CHECK(run.version() == "1.1");
}

TEST_CASE("Nothing that a package started outlives its run") {
  TestStore store;
  store.add("forks");
  // So that the daemon is known here by the number that the package sees.
  const EndedRun run = store.train("forks", some_data(store), {"--without", "pid"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  const pid_t daemon = std::stoi(read_text(run.folder / "artifacts" / "daemon.pid"));
  REQUIRE(daemon > 1);
  CHECK(::kill(daemon, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("Packages of other times run") {
  TestStore store;
  const Path data = some_data(store);
  for (const std::string package : {"abi_frozen", "abi_older", "abi_newer"}) {
    CAPTURE(package);
    store.add(package);
    const EndedRun run = store.train(package, data);
    CHECK(run.output.err == "");
    CHECK(run.version() == "1.1");
    CHECK(store.train(package, data, {"--allow-repeat"}).version() == "1.2");
  }
}

// The environment with which a process began, one "NAME=VALUE" after another, each ended by a NUL; empty when it is
// gone or not ours to read.
std::string environment_of(const std::string& pid) {
  const auto bytes = read_file(Path("/proc") / pid / "environ", std::size_t{1} << 22U);
  return bytes.ok() ? *bytes : std::string();
}

TEST_CASE("Nothing of the operator's environment reaches the package") {
  TestStore store;
  store.add("slow");
  const Path data = some_data(store);
  RunningProgram program = store.start(
      {"run", "training", "slow", "--dataset", data.string(), "--name", "watched", "--env", "seconds=3"},
      {{"TRAINYARD_TEST_SECRET", "hunter2"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}, {"LD_PRELOAD_X", "hunter2"}});
  store.wait_for_the_call("watched");
  const std::string folder = store.run_folder("watched")->string();
  int workers = 0;
  int inner = 0;
  const auto processes = list_folder("/proc");
  REQUIRE(processes.ok());
  for (const std::string& pid : *processes) {
    const auto command = read_file(Path("/proc") / pid / "cmdline", std::size_t{1} << 22U);
    if (!command.ok() || command->find("trainyard-worker") == std::string::npos ||
        command->find(folder) == std::string::npos)
      continue;
    ++workers;
    const std::string variables = environment_of(pid);
    CHECK(variables.find("hunter2") == std::string::npos);
    CHECK(variables.find("TRAINYARD_STORE") == std::string::npos);
    if (std::string(1, '\0').append(variables).find(std::string("\0seconds=3", 10)) != std::string::npos) ++inner;
  }
  // The supervisor, the package's process and, where it has a process namespace, the init of that.
  CHECK((workers == 2 || workers == 3));
  CHECK(inner == 1);
  CHECK(program.wait().status.code == 0);
  for (const char* const file :
       {"plan.json", "job.json", "journal.jsonl", "events.jsonl", "exit.json", "_results.json"}) {
    CHECK_THAT(read_text(Path(folder) / file), !Catch::Contains("hunter2"));
  }
  // What the user passed for the package does reach it.
  CHECK(read_json(Path(folder) / "job.json").at("environment").at("seconds") == "3");
}

}  // namespace
}  // namespace trainyard::well_behaved_packages_test
