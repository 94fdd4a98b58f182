// SPDX-License-Identifier: Apache-2.0
// The daily work around runs: detached ones, stopping, deleting, repeating, comparing, filtering.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::run_control_test {
namespace {

bool is_over(const TestStore& store, const std::string& run) {
  return !store.json({"runs", "show", run}).at("results").is_null();
}

// A detached training of a package for tests; its id.
std::string detach(const TestStore& store, const std::string& package, const Path& data, const Arguments& more = {}) {
  Arguments arguments = {"run", "training", package, "--dataset", data.string(), "--detach"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::string id = store.must(arguments);
  REQUIRE(id.ends_with('\n'));
  id.pop_back();
  return id;
}

std::vector<std::string> listed(const TestStore& store, const Arguments& more = {}) {
  Arguments arguments = {"runs", "list"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::vector<std::string> names;
  for (const Json& run : store.json(arguments)) names.push_back(run.at("name").get<std::string>());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("A detached run tells its id at once and goes on by itself") {
  const TestStore store;
  store.add("slow");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  const std::string id = detach(store, "slow", data, {"--name", "alone"});
  CHECK(id.size() == 36);
  CHECK_FALSE(is_over(store, id));
  // What it prints can be followed, and following ends with it.
  const ProgramOutput log = store.run({"runs", "logs", id, "--follow"});
  CHECK(log.status.code == 0);
  CHECK(is_over(store, id));
  CHECK(log.out == store.must({"runs", "logs", id}));
  CHECK(store.json({"runs", "show", "alone"}).at("version") == "1.1");
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("What keeps a detached run from beginning is told") {
  const TestStore store;
  const ProgramOutput refused =
      store.run({"run", "training", "nothing", "--dataset", store.temp().path().string(), "--detach"});
  CHECK(refused.status.code == 2);
  CHECK(refused.err == "trainyard: there is no package 'nothing'\n");
}

TEST_CASE("A run is stopped from elsewhere") {
  const TestStore store;
  store.add("hangs");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  for (const bool now : {false, true}) {
    CAPTURE(now);
    const std::string name = now ? "at-once" : "politely";
    const std::string id = detach(store, "hangs", data, {"--name", name, "--grace", now ? "1h" : "100ms"});
    store.wait_for_the_call(name);
    Arguments stop = {"runs", "stop", id};
    if (now) stop.emplace_back("--now");
    CHECK(has(store.must(stop), "run " + name + " is over (stopped)"));
    const Json run = store.json({"runs", "show", id});
    CHECK(run.at("status") == "Killed");
    CHECK(run.at("version").is_null());
    const ProgramOutput again = store.run(stop);
    CHECK(again.status.code == 2);
    CHECK(has(again.err, "is over already"));
  }
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run whose runner was killed can still be stopped") {
  TestStore store;
  store.add("hangs");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  RunningProgram runner = store.start_training("orphan", "hangs", data, {"--grace", "100ms"});
  store.wait_for_the_call("orphan");
  runner.signal(SIGKILL);
  runner.wait();
  CHECK(has(store.must({"runs", "stop", "orphan"}), "run orphan is over (stopped)"));
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run that is over can be deleted, and its version stays") {
  TestStore store;
  store.add("counts");
  store.add("hangs");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  const EndedRun run = store.train("counts", data);
  const std::string running = detach(store, "hangs", data, {"--name", "running", "--grace", "0s"});
  const ProgramOutput refused = store.run({"runs", "delete", "run-1", "running"});
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "is not over; stop it first"));
  CHECK_FALSE(is_there(run.folder));  // in the order in which they were given
  store.must({"runs", "stop", running});
  CHECK(listed(store) == Names{"running"});
  CHECK(store.versions("counts") == Names{"1.0", "1.1"});
  CHECK(store.train("counts", data).version() == "1.2");
  CHECK(store.run({"runs", "delete", "run-1"}).status.code == 2);
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run is repeated as it was, or with something changed") {
  TestStore store;
  store.add("counts");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  REQUIRE(
      store.train("counts@1.0", data, {"--env", "note=first", "--tag", "kind=a", "--experiment", "lines"}).version() ==
      "1.1");
  REQUIRE(store.train("counts", data).version() == "1.2");
  store.must({"runs", "rerun", "run-1", "--name", "again"});
  const Json again = store.json({"runs", "show", "again"});
  CHECK(again.at("parent") == "1.0");
  CHECK(again.at("version") == "1.3");
  CHECK(again.at("tags") == Json({{"kind", "a"}}));
  CHECK(again.at("experiment") == "lines");
  CHECK(again.at("results").at("parameters").at("env").at("note") == "first");
  store.must({"runs", "rerun", "run-1", "--name", "other", "--package", "counts", "--env", "note=second"});
  const Json other = store.json({"runs", "show", "other"});
  CHECK(other.at("parent") == "1.3");
  CHECK(other.at("results").at("parameters").at("env").at("note") == "second");
  CHECK(store.run({"runs", "rerun", "run-1", "--package", "another"}).status.code == 2);
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("Runs are listed by what they are") {
  TestStore store;
  store.add("counts");
  store.add("throws_in_train");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  store.train("counts", data, {"--experiment", "lines", "--tag", "size=big", "--tag", "mine"});
  store.train("throws_in_train", data, {"--experiment", "lines"});
  store.carry_out("evaluation", "counts@1.0", data, {"--tag", "size=small"});
  store.carry_out("evaluation", "counts@1.1", data);
  CHECK(listed(store) == Names{"run-1", "run-2", "run-3", "run-4"});
  CHECK(listed(store, {"--package", "counts"}) == Names{"run-1", "run-3", "run-4"});
  CHECK(listed(store, {"--package", "Counts@1.1"}) == Names{"run-4"});
  CHECK(listed(store, {"--status", "failed"}) == Names{"run-2"});
  CHECK(listed(store, {"--type", "evaluation"}) == Names{"run-3", "run-4"});
  CHECK(listed(store, {"--experiment", "lines"}) == Names{"run-1", "run-2"});
  CHECK(listed(store, {"--tag", "size"}) == Names{"run-1", "run-3"});
  CHECK(listed(store, {"--tag", "size=big", "--tag", "mine"}) == Names{"run-1"});
  CHECK(listed(store, {"--sort", "score", "--limit", "2"}) == Names{"run-3", "run-4"});
  CHECK(listed(store, {"--sort", "score", "--reverse", "--limit", "1"}) == Names{"run-4"});
  CHECK(listed(store, {"--sort", "name", "--reverse"}) == Names{"run-4", "run-3", "run-2", "run-1"});
  CHECK(listed(store, {"--tag", "other"}).empty());
  CHECK(store.must({"runs", "list", "--tag", "other"}) == "no run is like that\n");
  CHECK(has(store.run({"runs", "list", "--limit", "1"}).err, "3 more runs; --limit 0 lists all"));
  CHECK(has(store.run({"runs", "list", "--status", "Failled"}).err, "did you mean 'Failed'?"));
  CHECK(store.run({"runs", "list", "--limit", "few"}).status.code == 2);
  CHECK(store.run({"runs", "list", "--sort", "size"}).status.code == 2);
}

TEST_CASE("Runs are compared side by side, and measured values drawn") {
  TestStore store;
  store.must({"package", "add", (Path(DIGITS_DIR) / "digits.zip").string()});
  const Path data = Path(DIGITS_DATA) / "training";
  REQUIRE(store.train("digits@1.0", data, {"--env", "epochs=2"}).version() == "1.1");
  REQUIRE(store.train("digits@1.0", data, {"--env", "epochs=4"}).version() == "1.2");
  const std::string text = store.must({"runs", "compare", "run-1", "run-2"});
  CHECK(has(text, "epochs"));
  CHECK(has(text, " *"));
  const Json compared = store.json({"runs", "compare", "run-1", "run-2"});
  CHECK(compared[0].at("parameters").at("epochs") == "2");
  CHECK(compared[1].at("metrics").at("loss").is_number());
  CHECK(store.run({"runs", "compare", "run-1"}).status.code == 2);

  const Json series = store.json({"runs", "metrics", "run-2"});
  REQUIRE(series.at("loss").size() == 4);
  CHECK(series.at("loss")[3].at("step") == 4);
  const std::string csv = store.must({"runs", "metrics", "run-2", "--metric", "loss", "--csv"});
  CHECK(csv.starts_with("metric,step,value,time\nloss,1,"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 5);
  const std::string drawn = store.must({"runs", "metrics", "run-2", "--metric", "loss"});
  CHECK(has(drawn, "loss: 4 values, the last one "));
  CHECK(has(drawn, "*"));
  CHECK(has(store.run({"runs", "metrics", "run-2", "--metric", "los"}).err, "did you mean 'loss'?"));
}

}  // namespace trainyard::run_control_test
