// SPDX-License-Identifier: Apache-2.0
// Runs on a cluster, as a user has them.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/slurm_cluster.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::slurm_test {

namespace {

struct OnCluster {
  explicit OnCluster(int nodes = 2, const std::map<std::string, std::string>& settings = {}) : slurm(nodes, settings) {
    store.temp().write("data/x.csv", "1\n");
    for (const char* const package : {"counts", "slow", "tries", "leaks"}) store.add(package);
    store.must({"store", "config", "executor", "slurm"});
  }

  ProgramOutput run(const Arguments& arguments) const { return store.run(arguments, slurm.environment()); }
  std::string must(const Arguments& arguments) const {
    const ProgramOutput output = run(arguments);
    INFO(output.err);
    REQUIRE(output.status.code == 0);
    return output.out;
  }
  Json json(Arguments arguments) const {
    arguments.emplace_back("--json");
    return *parse_json(must(arguments), "the answer");
  }
  ProgramOutput train(const std::string& name, const std::string& package, const Arguments& more = {}) const {
    Arguments arguments = {"run", "training", package, "--dataset", data.string(), "--name", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  [[nodiscard]] Json results(const std::string& name) const {
    return read_json(*store.run_folder(name) / "_results.json").at("traceability");
  }
  [[nodiscard]] bool over(const std::string& name) const {
    const auto folder = store.run_folder(name);
    return folder && is_there(*folder / "_results.json");
  }

  TestStore store;
  Path data = store.temp().folder("data");
  SlurmCluster slurm;
};

}  // namespace

TEST_CASE("A run on a cluster makes what one on this machine makes") {
  const OnCluster cluster;
  const ProgramOutput there =
      cluster.train("there", "counts", {"--cpus", "1", "--memory", "512M", "--max-runtime", "5m"});
  INFO(there.err);
  REQUIRE(there.status.code == 0);
  const ProgramOutput here = cluster.train(
      "here", "counts@1.0",
      {"--executor", "local", "--allow-repeat", "--cpus", "1", "--memory", "512M", "--max-runtime", "5m"});
  INFO(here.err);
  REQUIRE(here.status.code == 0);
  const auto tree = [&](const char* version) {
    return cluster.json({"package", "show", std::string("counts@") + version}).at("tree").at("digest");
  };
  CHECK(tree("1.1") == tree("1.2"));
  CHECK(cluster.results("there").at("attempts").at(0).at("isolation") ==
        cluster.results("here").at("attempts").at(0).at("isolation"));
  CHECK(cluster.must({"runs", "logs", "there"}) == cluster.must({"runs", "logs", "here"}));
  CHECK(cluster.run({"audit", "counts@1.1"}).status.code == 0);
  CHECK(cluster.store.schema_mistakes() == "");
  CHECK(cluster.store.leftovers() == "");
}

TEST_CASE("A run that waits in a cluster's queue says so, and can be stopped there") {
  const OnCluster cluster(1, {{"SLURM_CPUS_PER_NODE", "1"}});
  REQUIRE(cluster.train("first", "slow", {"--env", "seconds=60", "--detach"}).status.code == 0);
  cluster.store.wait_for_the_call("first");
  REQUIRE(cluster.train("second", "counts", {"--detach"}).status.code == 0);
  REQUIRE(wait_until([&] { return has(cluster.must({"runs", "show", "second"}), "it waits in Slurm as job"); }));
  const Json shown = cluster.json({"runs", "show", "second"});
  CHECK(shown.at("status") == "Queued");
  CHECK(has(shown.at("waits").get<std::string>(), "0 before it"));
  CHECK(cluster.json({"runs", "show", "first"}).at("status") == "Running");
  cluster.must({"runs", "stop", "second"});
  CHECK(cluster.results("second").at("status") == "Killed");
  CHECK(cluster.results("second").at("reason") == "stopped");
  cluster.must({"runs", "stop", "first"});
  CHECK(cluster.results("first").at("reason") == "stopped");
  CHECK(cluster.store.leftovers() == "");
}

TEST_CASE("A run on a cluster is found again by whoever comes after its runner") {
  const OnCluster cluster;
  const int seconds = GENERATE(1, 5);
  RunningProgram runner = cluster.store.start({"run", "training", "slow", "--dataset", cluster.data.string(), "--name",
                                               "left", "--env", "seconds=" + std::to_string(seconds)},
                                              cluster.slurm.environment());
  cluster.store.wait_for_the_call("left");
  runner.signal(SIGKILL);
  static_cast<void>(runner.wait());
  REQUIRE(wait_until([&] {
    cluster.must({"runs", "list"});
    return cluster.over("left");
  }));
  CHECK(cluster.results("left").at("status") == "Successful");
  CHECK(cluster.store.versions("slow") == std::vector<std::string>{"1.0", "1.1"});
  CHECK(cluster.store.leftovers() == "");
}

TEST_CASE("A run whose job is ended by the cluster tries again where it may") {
  const OnCluster cluster;
  RunningProgram runner = cluster.store.start({"run", "training", "slow", "--dataset", cluster.data.string(), "--name",
                                               "retried", "--env", "seconds=2", "--retries", "1"},
                                              cluster.slurm.environment());
  cluster.store.wait_for_the_call("retried");
  const std::string claim = read_text(*cluster.store.run_folder("retried") / "job.claim");
  const std::string number = claim.substr(6, claim.find(':', 6) - 6);
  // As when its daemon crashes on the node.
  const std::string pids = cluster.slurm.ask("scontrol", {"listpids", number, claim.substr(claim.rfind(':') + 1, 2)});
  INFO(pids);
  const std::string first = pids.substr(pids.find('\n') + 1);
  const int supervisor = std::stoi(first);
  const std::string status = read_text("/proc/" + std::to_string(supervisor) + "/status");
  const int holder = std::stoi(status.substr(status.find("PPid:") + 5));
  REQUIRE(::kill(holder, SIGKILL) == 0);
  const ProgramOutput output = runner.wait();
  INFO(output.err);
  CHECK(output.status.code == 0);
  const Json results = cluster.results("retried");
  CHECK(results.at("status") == "Successful");
  REQUIRE(results.at("attempts").size() == 2);
  CHECK(results.at("attempts").at(0).at("reason") == "lost");
  CHECK(cluster.store.leftovers() == "");
  CHECK(cluster.store.schema_mistakes() == "");
}

TEST_CASE("The time in a cluster's queue is no part of the longest runtime, also of a job that died without a word") {
  const OnCluster cluster(1, {{"SLURM_CPUS_PER_NODE", "1"}});
  REQUIRE(cluster.train("first", "slow", {"--env", "seconds=20", "--detach"}).status.code == 0);
  cluster.store.wait_for_the_call("first");
  // Of which half a minute goes until the loss is noticed.
  RunningProgram runner =
      cluster.store.start({"run", "training", "slow", "--dataset", cluster.data.string(), "--name", "second", "--env",
                           "seconds=2", "--allow-repeat", "--retries", "1", "--max-runtime", "45s"},
                          cluster.slurm.environment());
  cluster.store.wait_for_the_call("second");
  const std::string claim = read_text(*cluster.store.run_folder("second") / "job.claim");
  const std::string number = claim.substr(6, claim.find(':', 6) - 6);
  const std::string pids = cluster.slurm.ask("scontrol", {"listpids", number, "n1"});
  INFO(pids);
  REQUIRE(::kill(std::stoi(pids.substr(pids.find('\n') + 1)), SIGKILL) == 0);
  const ProgramOutput output = runner.wait();
  INFO(output.err);
  CHECK(output.status.code == 0);
  const Json attempts = cluster.results("second").at("attempts");
  REQUIRE(attempts.size() == 2);
  CHECK(attempts.at(0).at("reason") == "lost");
  CHECK_FALSE(is_there(*cluster.store.run_folder("second") / "exit.json"));
}

TEST_CASE("A cluster that refuses a job is quoted") {
  const OnCluster cluster;
  const ProgramOutput output = cluster.train("refused", "counts", {"--partition", "nope"});
  CHECK(output.status.code == 1);
  CHECK(has(output.err, "invalid partition specified: nope"));
  CHECK(cluster.results("refused").at("reason") == "invalid_input");
  const ProgramOutput mistyped = cluster.train("mistyped", "counts", {"--sbatch-argument=--array=0-9"});
  CHECK(mistyped.status.code == 2);
  CHECK(has(mistyped.err, "Trainyard sets --array itself"));
}

TEST_CASE("A run on a cluster has the GPUs that it asked for, each of its workers on its own node") {
  const OnCluster cluster(2, {{"SLURM_GPUS", "/dev/zero,/dev/full"}});
  cluster.store.add("meets");
  const auto gpus_of = [&](const std::string& run, const char* log) {
    const std::string text = read_text(*cluster.store.run_folder(run) / log);
    const std::string name = "gpus ";
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "not told" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  };
  const ProgramOutput one = cluster.train("one", "meets@1.0", {"--gpus", "1"});
  INFO(one.err);
  REQUIRE(one.status.code == 0);
  CHECK(gpus_of("one", "stdout.log") == "0");
  const ProgramOutput both = cluster.train("both", "meets@1.0", {"--gpus", "2", "--nodes", "2"});
  INFO(both.err);
  REQUIRE(both.status.code == 0);
  CHECK(gpus_of("both", "stdout.log") == "0,1");
  CHECK(gpus_of("both", "ranks/1/stdout.log") == "0,1");
  REQUIRE(cluster.train("none", "meets@1.0", {"--allow-repeat"}).status.code == 0);
  CHECK(gpus_of("none", "stdout.log").empty());
  const ProgramOutput more = cluster.train("more", "meets@1.0", {"--gpus", "3"});
  CHECK(more.status.code == 1);
  CHECK(has(more.err, "Requested node configuration is not available"));
}

TEST_CASE("A resource plan serves on a cluster and on this machine") {
  const OnCluster cluster;
  cluster.must({"plans", "set", "small", "--cpus", "1", "--memory", "300M", "--partition", "main", "--time", "10m",
                "--sbatch-argument=--nice=7"});
  REQUIRE(cluster.train("there", "counts", {"--plan", "small"}).status.code == 0);
  const Json request = read_json(*cluster.store.run_folder("there") / "plan.json").at("request");
  CHECK(request.at("placement").at("plan") == "small");
  CHECK(request.at("placement").at("partition") == "main");
  CHECK(request.at("limits").at("memory_bytes") == 300 << 20);
  CHECK(request.at("max_runtime_ms") == 600'000);
  REQUIRE(cluster.train("here", "counts", {"--plan", "small", "--executor", "local"}).status.code == 0);
  CHECK(read_json(*cluster.store.run_folder("here") / "plan.json").at("request").at("limits").at("memory_bytes") ==
        300 << 20);
  const ProgramOutput unknown = cluster.train("unknown", "counts", {"--plan", "smal"});
  CHECK(unknown.status.code == 2);
  CHECK(has(unknown.err, "did you mean 'small'?"));
  CHECK(cluster.json({"plans", "list"}).at("small").at("arguments") == Json({"--nice=7"}));
  CHECK(cluster.run({"plans", "remove", "smal"}).status.code == 2);
  cluster.must({"plans", "remove", "small"});
  CHECK(cluster.json({"plans", "list"}).empty());
  CHECK(cluster.train("again", "counts", {"--plan", "small"}).status.code == 2);
  // What the plan meant then stands in the run.
  cluster.must({"runs", "rerun", "there"});
}

TEST_CASE("A secret reaches a job on a cluster and is recorded nowhere") {
  const OnCluster cluster;
  const Path value = cluster.store.temp().write("token", "hunter2-is-no-secret");
  const ProgramOutput output =
      cluster.train("secret", "leaks", {"--env", "way=prints", "--secret", "TOKEN=" + value.string()});
  INFO(output.err);
  REQUIRE(output.status.code == 0);
  CHECK(has(cluster.must({"runs", "logs", "secret"}), "first [secret TOKEN], then"));
  CHECK_FALSE(is_there(*cluster.store.run_folder("secret") / "slurm.secrets"));
}

TEST_CASE("Many runs that are submitted at once make consecutive versions") {
  constexpr int kRuns = 24;
  const OnCluster cluster;
  for (int i = 0; i < kRuns; ++i)
    REQUIRE(cluster.train("run-" + std::to_string(i), "counts@1.0", {"--detach", "--allow-repeat"}).status.code == 0);
  REQUIRE(wait_until([&] {
    for (int i = 0; i < kRuns; ++i)
      if (!cluster.over("run-" + std::to_string(i))) return false;
    return true;
  }));
  std::vector<std::string> expected;
  for (int i = 0; i <= kRuns; ++i) expected.push_back("1." + std::to_string(i));
  CHECK(cluster.store.versions("counts") == expected);
  CHECK(cluster.store.leftovers() == "");
}

TEST_CASE("A sweep on a cluster is one array of jobs") {
  const OnCluster cluster;
  const std::string seconds = "seconds=0.1,0.2,0.3,0.4,0.5";
  cluster.must({"sweep", "slow", "--dataset", cluster.data.string(), "--param", seconds, "--experiment", "wide"});
  CHECK(cluster.json({"sweeps", "list"}).at(0).at("succeeded") == 5);
  std::vector<std::string> arrays;
  for (const Json& run : cluster.json({"runs", "list", "--experiment", "wide"})) {
    const std::string claim = read_text(cluster.store.root() / "runs" / run.at("run").get<std::string>() / "job.claim");
    arrays.push_back(claim.substr(0, claim.find('_')));
  }
  REQUIRE(arrays.size() == 5);
  CHECK(std::count(arrays.begin(), arrays.end(), arrays.front()) == 5);
  CHECK(cluster.store.leftovers() == "");
}

TEST_CASE("What the README says of clusters can be done") {
  const OnCluster cluster;
  cluster.must({"package", "add", DIGITS_DIR "/digits.zip"});
  cluster.must({"store", "config", "executor", "--unset"});
  const std::vector<Arguments> commands = readme_commands(TRAINYARD_README, "On a cluster", DIGITS_DATA "/training");
  CHECK(commands.size() == 7);
  for (const Arguments& words : commands) cluster.must(words);
  CHECK(cluster.store.leftovers() == "");
  CHECK(cluster.store.schema_mistakes() == "");
}

}  // namespace trainyard::slurm_test
