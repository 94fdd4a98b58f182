// SPDX-License-Identifier: Apache-2.0
// A run with several workers, on one machine: what each is told and sees, that they make what one would have made, and that
// one that goes wrong ends them all.
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <set>
#include <sstream>

#include "runner/processes/process_identity.hpp"
#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::several_nodes_test {
namespace {

using Clock = std::chrono::steady_clock;

Path six_files(const TestStore& store) {
  for (const char* const name : {"a/1", "a/2", "b/3", "b/4", "b/5", "b/6"})
    store.temp().write(std::string("data/") + name, std::string("content of ") + name);
  return store.temp().path() / "data";
}

Path folder_of(const EndedRun& run, int rank) {
  return rank == 0 ? run.folder : run.folder / "ranks" / std::to_string(rank);
}

// NAME=VALUE lines of what a worker printed.
std::map<std::string, std::string> told(const EndedRun& run, int rank) {
  std::map<std::string, std::string> variables;
  std::istringstream lines(read_text(folder_of(run, rank) / "stdout.log"));
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t at = line.find('='); at != std::string::npos)
      variables[line.substr(0, at)] = line.substr(at + 1);
  }
  return variables;
}

std::set<std::string> seen(const EndedRun& run, int rank) {
  std::set<std::string> files;
  std::istringstream lines(read_text(folder_of(run, rank) / "stdout.log"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("file ")) files.insert(line.substr(5));
  return files;
}

std::vector<double> model_of(const TestStore& store, const std::string& version) {
  const Path folder = store.temp().folder("exported-" + version);
  store.must({"package", "export", "digits-distributed@" + version, "--output", folder.string()});
  const Path zip = folder / ("digits-distributed_v" + version + ".zip");
  const auto unpacked = run_program({"/usr/bin/unzip", "-p", zip.string(), "digits-distributed/model.txt"}, {}, "/", "",
                                    std::chrono::seconds(30));
  REQUIRE(unpacked.ok());
  std::istringstream words(unpacked->out);
  std::vector<double> numbers;
  for (std::string word; words >> word;) numbers.push_back(std::strtod(word.c_str(), nullptr));
  return numbers;
}

bool nobody_is_left(const EndedRun& run) {
  for (int rank = 0; is_there(run.folder / "ranks" / std::to_string(rank)); ++rank) {
    std::string claim = read_text(run.folder / "ranks" / std::to_string(rank) / "job.claim");
    if (claim.ends_with('\n')) claim.pop_back();
    const auto identity = ProcessIdentity::parse(claim);
    if (!identity.ok() || is_running(*identity)) return false;
  }
  return true;
}

TEST_CASE("One, two and four workers make the same model, but for the last digits") {
  TestStore store;
  store.must({"package", "add", DIGITS_DISTRIBUTED_ZIP});
  const Path data = Path(DIGITS_DATA) / "training";
  std::vector<std::vector<double>> models;
  for (const char* const nodes : {"1", "2", "4"}) {
    const EndedRun run =
        store.train("digits-distributed@1.0", data, {"--allow-repeat", "--nodes", nodes, "-e", "epochs=6"});
    INFO(run.output.err);
    REQUIRE(run.output.status.code == 0);
    models.push_back(model_of(store, run.version()));
    CHECK(run.traceability().at("metrics").at("epoch_seconds").at("count") == 6);
    CHECK(run.traceability().at("attempts").at(0).at("ranks").size() ==
          (nodes == std::string("1") ? 0 : std::stoul(nodes)));
  }
  REQUIRE(models.front().size() > 9000);
  for (const auto& model : models) {
    REQUIRE(model.size() == models.front().size());
    double furthest = 0;
    for (std::size_t i = 0; i < model.size(); ++i)
      furthest = std::max(furthest, std::abs(model[i] - models.front()[i]));
    CHECK(furthest < 1e-9);
  }
  const EndedRun judged = store.carry_out("evaluation", "digits-distributed@1.3", Path(DIGITS_DATA) / "test");
  CHECK(judged.traceability().at("score").get<double>() > 0.85);
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("Each worker knows its place, speaks to the others and keeps its own things") {
  TestStore store;
  store.add("meets");
  const EndedRun run = store.train("meets", six_files(store), {"--nodes", "3"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  for (int rank = 0; rank < 3; ++rank) {
    INFO("rank " << rank);
    const auto variables = told(run, rank);
    const std::string number = std::to_string(rank);
    for (const char* const name : {"TRAINYARD_RANK", "RANK", "VC_TASK_INDEX"}) CHECK(variables.at(name) == number);
    for (const char* const name : {"TRAINYARD_WORLD_SIZE", "WORLD_SIZE", "MA_NUM_HOSTS"})
      CHECK(variables.at(name) == "3");
    CHECK(variables.at("TRAINYARD_HOSTS") == "127.0.0.1,127.0.0.2,127.0.0.3");
    CHECK(variables.at("VC_WORKER_HOSTS") == variables.at("TRAINYARD_HOSTS"));
    CHECK(variables.at("SM_HOSTS") == R"(["127.0.0.1","127.0.0.2","127.0.0.3"])");
    CHECK(variables.at("SM_CURRENT_HOST") == "127.0.0." + std::to_string(rank + 1));
    CHECK(variables.at("MASTER_ADDR") + ":" + variables.at("MASTER_PORT") == variables.at("TRAINYARD_RENDEZVOUS"));
    CHECK(variables.at("TRAINYARD_RENDEZVOUS") == told(run, 0).at("TRAINYARD_RENDEZVOUS"));
    CHECK(variables.at("TRAINYARD_DATA_SHARDING") == "replicated");
    CHECK(seen(run, rank) == std::set<std::string>{"a/1", "a/2", "b/3", "b/4", "b/5", "b/6"});
  }
  const Json& metrics = run.traceability().at("metrics");
  CHECK(metrics.at("count").at("last") == 3);
  CHECK(metrics.at("sum_of_ranks").at("last") == 3);
  CHECK(metrics.at("highest_rank").at("last") == 2);
  CHECK(metrics.at("least").at("last") == 7);
  CHECK(metrics.at("said").at("last") == 2);
  CHECK(metrics.at("own_rank").at("count") == 1);
  CHECK(metrics.at("printed_rank").at("count") == 1);
  const auto artifacts = contents(run.folder / "artifacts");
  CHECK(artifacts == std::map<std::string, std::string>{
                         {"rank.txt", "0\n"}, {"ranks/1/rank.txt", "1\n"}, {"ranks/2/rank.txt", "2\n"}});
  CHECK_FALSE(is_there(run.folder / "rank_checkpoints"));
  CHECK_FALSE(is_there(run.folder / "workspace"));

  CHECK_THAT(store.must({"runs", "logs", "run-1", "--rank", "2"}), Catch::StartsWith("TRAINYARD_RANK=2\n"));
  CHECK(store.json({"runs", "metrics", "run-1", "--rank", "1", "--metric", "own_rank"})
            .at("own_rank")
            .at(0)
            .at("value") == 1);
  CHECK(store.json({"runs", "metrics", "run-1", "--rank", "1"}).at("printed_rank").at(0).at("value") == 1);
  CHECK_THAT(store.must({"runs", "show", "run-1"}),
             Catch::Contains("rank 2") && Catch::Contains("on 127.0.0.3, exit code 0"));
  CHECK_THAT(store.run({"runs", "logs", "run-1", "--rank", "3"}).err, Catch::Contains("has 3 workers, 0 to 2"));
  const Json& ranks = run.traceability().at("attempts").at(0).at("ranks");
  REQUIRE(ranks.size() == 3);
  CHECK(ranks.at(1).at("host") == "127.0.0.2");
  CHECK(ranks.at(1).at("exit_code") == 0);
  CHECK(nobody_is_left(run));
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

// Says what it was told, and greets rank 0 at the place that all were told.
constexpr const char* kPythonWorker = R"(import socket
import time

import trainyard

class Main:
    def __init__(self):
        pass

    def train(self, directory):
        host, port = trainyard.rendezvous() or ("", 0)
        print("rank", trainyard.rank(), "of", trainyard.world_size(), trainyard.hosts(), trainyard.data_is_divided(), host, port > 0)
        if trainyard.world_size() == 1: return
        # Everybody says hello to rank 0, at the place that all were told.
        if trainyard.rank() == 0:
            with socket.create_server((host, port)) as server:
                for _ in range(trainyard.world_size() - 1):
                    with server.accept()[0] as peer: print("heard", peer.recv(10).decode())
        else:
            for _ in range(200):
                try:
                    with socket.create_connection((host, port)) as peer: peer.sendall(str(trainyard.rank()).encode())
                    break
                except ConnectionRefusedError: time.sleep(0.05)
        trainyard.metric("rank", trainyard.rank())
    def save(self): open("model.txt", "w").write("done\n")
)";

TEST_CASE("The workers of a Python package know each other as well") {
  TestStore store;
  store.temp().write("pyworkers/train.py", kPythonWorker);
  store.must({"package", "add", (store.temp().path() / "pyworkers").string()});
  const EndedRun run = store.train("pyworkers@1.0", six_files(store), {"--nodes", "3", "--data-sharding", "by-file"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  const std::string hosts = "['127.0.0.1', '127.0.0.2', '127.0.0.3'] True 127.0.0.1 True\n";
  CHECK_THAT(read_text(run.folder / "stdout.log"), Catch::StartsWith("rank 0 of 3 " + hosts + "heard "));
  for (int rank = 1; rank < 3; ++rank)
    CHECK(read_text(folder_of(run, rank) / "stdout.log") == "rank " + std::to_string(rank) + " of 3 " + hosts);
  CHECK(run.traceability().at("metrics").at("rank").at("last") == 0);
  const EndedRun alone = store.train("pyworkers@1.0", six_files(store), {"--allow-repeat"});
  CHECK(read_text(alone.folder / "stdout.log") == "rank 0 of 1 [] False  False\n");
}

TEST_CASE("A run on one node is told nothing of others, and has one worker of one") {
  TestStore store;
  store.add("meets");
  const EndedRun run = store.train("meets", six_files(store));
  REQUIRE(run.version() == "1.1");
  CHECK(told(run, 0).empty());
  CHECK(run.traceability().at("metrics").at("count").at("last") == 1);
  CHECK(run.traceability().at("metrics").at("own_rank").at("last") == 0);
  CHECK_THAT(store.run({"runs", "logs", "run-1", "--rank", "1"}).err, Catch::Contains("has one worker, which is 0"));
}

TEST_CASE("Divided by file, each worker sees its files, and what is recorded is the whole") {
  TestStore store;
  store.add("meets");
  const Path data = six_files(store);
  const EndedRun whole = store.train("meets", data);
  for (const char* const mount : {"best", "copy"}) {
    CAPTURE(mount);
    const auto before = contents(data);
    const EndedRun run =
        store.train("meets", data, {"--allow-repeat", "--nodes", "4", "--data-sharding", "by-file", "--mount", mount});
    INFO(run.output.err);
    REQUIRE(run.output.status.code == 0);
    CHECK(seen(run, 0) == std::set<std::string>{"a/1", "b/5"});
    CHECK(seen(run, 1) == std::set<std::string>{"a/2", "b/6"});
    CHECK(seen(run, 2) == std::set<std::string>{"b/3"});
    CHECK(seen(run, 3) == std::set<std::string>{"b/4"});
    CHECK(told(run, 3).at("TRAINYARD_DATA_SHARDING") == "by-file");
    CHECK(run.traceability().at("datasets").at(0).at("tree") == whole.traceability().at("datasets").at(0).at("tree"));
    CHECK(contents(data) == before);
  }
  const EndedRun full = store.carry_out("full", "meets", data, {"--nodes", "2", "--save-training-data"});
  INFO(full.output.err);
  CHECK(full.output.status.code == 0);
  CHECK(full.traceability().at("score") == 1.0);
  CHECK(store.leftovers() == "");
}

TEST_CASE("One worker that goes wrong ends the run, which names it; nobody waits for it") {
  TestStore store;
  store.add("meets");
  struct Row {
    const char* how;
    const char* reason;
    const char* message;
  };
  const Row rows[] = {
      {"throws", "package_error", "rank 2 on host 127.0.0.3: train: this worker had enough"},
      {"crashes", "crashed", "rank 2 on host 127.0.0.3: the package's process was ended by signal 6"},
      {"exits", "package_error", "rank 2 on host 127.0.0.3: the package ended its process with exit code 3"}};
  for (const Row& row : rows) {
    CAPTURE(row.how);
    const auto begin = Clock::now();
    Arguments more = {"--nodes", "4", "-e", "culprit=2", "-e", std::string("how=") + row.how};
    const EndedRun run = store.train("meets", six_files(store), more);
    CHECK(Clock::now() - begin < std::chrono::seconds(30));
    CHECK(run.output.status.code == 1);
    CHECK(run.reason() == row.reason);
    CHECK_THAT(run.message(), Catch::StartsWith(row.message));
    CHECK(run.version() == "");
    for (const int rank : {1, 3}) {
      const auto events = read_json_lines(folder_of(run, rank) / "events.jsonl");
      CHECK(events.back().at("status") == "cancelled");
    }
    CHECK(nobody_is_left(run));
  }
  CHECK(store.leftovers() == "");
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("One that only leaves the others, or lets them wait, ends the run as well") {
  TestStore store;
  store.add("meets");
  const EndedRun left =
      store.train("meets", six_files(store), {"--nodes", "3", "-e", "culprit=1", "-e", "how=returns"});
  CHECK(left.reason() == "package_error");
  CHECK_THAT(left.message(), Catch::Contains("cannot reach the others"));
  const EndedRun run =
      store.train("meets", six_files(store),
                  {"--nodes", "3", "--grace", "1", "-e", "culprit=1", "-e", "how=hangs", "-e", "patience=2"});
  INFO(run.message());
  CHECK(run.reason() == "package_error");
  CHECK_THAT(run.message(), Catch::Contains("cannot reach the others"));
  CHECK(nobody_is_left(run));
}

TEST_CASE("Every worker finds in the next attempt what it left, and its files are kept when all attempts fail") {
  TestStore store;
  store.add("meets");
  const EndedRun run =
      store.train("meets", six_files(store), {"--nodes", "2", "--retries", "1", "-e", "culprit=1", "-e", "how=throws"});
  CHECK(run.reason() == "package_error");
  const Json& attempts = run.traceability().at("attempts");
  REQUIRE(attempts.size() == 2);
  for (const Json& attempt : attempts) {
    CHECK_THAT(attempt.at("message").get<std::string>(), Catch::StartsWith("rank 1 on host 127.0.0.2: "));
    CHECK(attempt.at("ranks").size() == 2);
  }
  CHECK(read_text(run.folder / "checkpoints/rank.txt") == "0\n0\n");
  CHECK(read_text(run.folder / "rank_checkpoints/1/rank.txt") == "1\n1\n");
  CHECK_FALSE(is_there(run.folder / "attempts/2/rank_checkpoints"));
  CHECK_FALSE(is_there(run.folder / "attempts/2/workspace"));
  CHECK_THAT(store.must({"runs", "logs", "run-1", "--attempt", "1", "--rank", "1"}),
             Catch::StartsWith("TRAINYARD_RANK=1\n"));
  CHECK_THAT(store.must({"runs", "logs", "run-1", "--attempt", "2", "--rank", "1"}),
             Catch::StartsWith("TRAINYARD_RANK=1\n"));
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("A stop reaches every worker, also those that wait for one that hangs") {
  TestStore store;
  store.add("meets");
  RunningProgram program = store.start_training("stopped", "meets", six_files(store),
                                                {"--nodes", "3", "--grace", "2", "-e", "culprit=1", "-e", "how=hangs"});
  store.wait_for_the_call("stopped");
  const Path folder = *store.run_folder("stopped");
  REQUIRE(wait_until([&] { return read_text(folder / "ranks/1/events.jsonl").find("own_rank") != std::string::npos; }));
  program.signal(SIGINT);
  const EndedRun run = store.end("stopped", program.wait());
  CHECK(run.output.status.code == 130);
  CHECK(run.reason() == "stopped");
  CHECK(run.message() == "stopped by a user");
  for (const int rank : {0, 2}) {
    const auto events = read_json_lines(folder_of(run, rank) / "events.jsonl");
    CHECK(events.back().at("status") == "cancelled");
  }
  CHECK(nobody_is_left(run));
  CHECK(store.leftovers() == "");
}

}  // namespace
}  // namespace trainyard::several_nodes_test
