// SPDX-License-Identifier: Apache-2.0
// Many runs over hyperparameters: which ones they are, which is the best, and what is left of it when somebody dies.
#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <sstream>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::sweep_command_test {
namespace {

struct Sweeping {
  TestStore store;
  Path data = store.temp().folder("data");

  explicit Sweeping(const std::vector<std::string>& packages) {
    store.temp().write("data/x.csv", "1\n");
    for (const std::string& package : packages) store.add(package);
    store.must({"store", "config", "slots", "4"});
  }

  [[nodiscard]] Arguments words(const std::string& package, const Arguments& more) const {
    Arguments arguments = {"sweep", package, "--dataset", data.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] ProgramOutput sweep(const std::string& package, const Arguments& more) const {
    return store.run(words(package, more));
  }
  [[nodiscard]] RunningProgram start(const std::string& package, const Arguments& more) const {
    return store.start(words(package, more));
  }
  // Of one that is there; it passes its schema.
  [[nodiscard]] Json show(const std::string& name) const {
    const Json report = store.json({"sweeps", "show", name});
    store.temp().write("report.json", report.dump());
    CHECK(schema_mistakes("sweep-report", store.temp().path() / "report.json") == "");
    CHECK(schema_mistakes("sweep", store.root() / "sweeps" / (name + ".json")) == "");
    return report;
  }
  [[nodiscard]] Json runs(const std::string& experiment) const {
    return store.json({"runs", "list", "--experiment", experiment, "--limit", "0"});
  }
  // How many trials of each standing there are.
  [[nodiscard]] static std::map<std::string, int> standings(const Json& report) {
    std::map<std::string, int> counts;
    for (const Json& trial : report.at("trials")) ++counts[trial.at("standing").get<std::string>()];
    return counts;
  }
  // Points by how many runs of theirs have succeeded.
  [[nodiscard]] std::map<std::string, int> successes(const std::string& experiment) const {
    std::map<std::string, int> counts;
    for (const Json& run : runs(experiment)) {
      const Json& tags = run.at("tags");
      const std::string key =
          tags.at("sweep.rung").get<std::string>() + "/" + tags.at("sweep.point").get<std::string>();
      counts[key] += run.at("status") == "Successful" ? 1 : 0;
    }
    return counts;
  }
  // Without the program, which would go on with what others left.
  [[nodiscard]] std::size_t ended_runs() const {
    std::size_t ended = 0;
    const auto names = list_folder(store.root() / "runs").value();
    for (const std::string& name : names) ended += is_there(store.root() / "runs" / name / "_results.json") ? 1 : 0;
    return ended;
  }
  // Whoever is killed may leave a file in the scratch folder, and nothing else; that is rubbish (storage/store/store.hpp).
  void check_clean_after_a_kill() const {
    std::istringstream left(store.leftovers());
    for (std::string one; std::getline(left, one);) CHECK(one.starts_with("tmp/file-"));
    store.must({"store", "gc", "--apply-now"});
    check_clean();
  }
  void check_clean() const {
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
};

std::map<std::string, int> once_each(int points) {
  std::map<std::string, int> each;
  for (int point = 1; point <= points; ++point) each["1/" + std::to_string(point)] = 1;
  return each;
}

Json winner_of(const Json& report) {
  for (const Json& trial : report.at("trials"))
    if (trial.at("winner").get<bool>()) return trial;
  return nullptr;
}

}  // namespace

TEST_CASE("A grid runs all combinations under one experiment, and its winner is the best of them") {
  const Sweeping sweeping({"counts"});
  const ProgramOutput out =
      sweeping.sweep("counts", {"--param", "learning_rate=0.5,0.1,0.9", "--param", "epochs=1:3:1", "--metric", "loss",
                                "--experiment", "rates", "--max-parallel", "3", "--tag", "who=me"});
  CHECK(out.status.code == 0);
  CHECK(out.err == "");  // quiet in a pipe
  CHECK(has(out.out, "best     loss 0.0333333 at epochs=3 learning_rate=0.1: counts@1."));
  CHECK(has(out.out, "trainyard runs compare counts-"));
  const Json report = sweeping.show("rates");
  CHECK(report.at("trials").size() == 9);
  CHECK(report.at("finished") == true);
  CHECK(report.at("same_data") == true);
  CHECK(report.at("sweep").at("goal") == "min");
  CHECK(report.at("sweep").at("request").at("package") == "counts@1.0");
  const Json winner = winner_of(report);
  CHECK(winner == report.at("trials").front());
  CHECK(winner.at("point") == 6);
  CHECK(winner.at("parameters") == Json({{"learning_rate", "0.1"}, {"epochs", "3"}}));
  CHECK(winner.at("value").get<double>() == Approx(0.1 / 3));
  // Each is a run like any other, of the same version, and makes the next minor version.
  std::set<std::string> versions;
  for (const Json& run : sweeping.runs("rates")) {
    CHECK(run.at("parent") == "1.0");
    CHECK(run.at("tags").at("sweep") == "rates");
    CHECK(run.at("tags").at("who") == "me");
    versions.insert(run.at("version").get<std::string>());
  }
  CHECK(versions == std::set<std::string>{"1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"});
  CHECK(sweeping.successes("rates") == once_each(9));
  const Json one = sweeping.store.json({"runs", "list", "--tag", "sweep.point=6"});
  REQUIRE(one.size() == 1);
  CHECK(one.front().at("run") == winner.at("run"));
  CHECK(has(sweeping.store.must({"runs", "compare", "--experiment", "rates"}), "0.0333333 *"));
  CHECK(has(sweeping.store.must({"sweeps", "list"}), "rates  training  counts@1.0  9       9          0       yes"));
  // What is done again outside of the sweep is none of it.
  sweeping.store.must({"runs", "rerun", winner.at("run").get<std::string>(), "--env", "learning_rate=0.01"});
  sweeping.store.must({"run", "training", "counts@1.0", "--dataset", sweeping.data.string(), "--env", "epochs=7",
                       "--experiment", "rates", "--tag", "sweep=rates", "--tag", "sweep.point=6", "--tag",
                       "sweep.rung=1"});
  CHECK(winner_of(sweeping.show("rates")) == winner);
  // Another metric turns the order around.
  const Json other = sweeping.store.json({"sweeps", "show", "rates", "--metric", "loss", "--goal", "max"});
  CHECK(winner_of(other).at("point") == 7);
  // Nothing is left to do.
  const ProgramOutput again = sweeping.store.run({"sweep", "--resume", "rates"});
  CHECK(again.status.code == 0);
  CHECK(sweeping.runs("rates").size() == 11);
  sweeping.check_clean();
}

TEST_CASE("A random sample depends on its seed alone, and a dry run makes nothing") {
  const Sweeping sweeping({"counts"});
  const auto points = [&](const char* seed) {
    const Arguments words = {
        "--param",  "learning_rate=log:0.001..1", "--param", "epochs=1..100", "--random", "5", "--seed", seed,
        "--dry-run"};
    Json parameters = Json::array();
    const Json report = sweeping.store.json(sweeping.words("counts", words));
    for (const Json& trial : report.at("trials")) parameters.push_back(trial.at("parameters"));
    return parameters;
  };
  const Json seven = points("7");
  CHECK(seven.size() == 5);
  CHECK(points("7") == seven);
  CHECK(points("8") != seven);
  CHECK(sweeping.store.json({"runs", "list"}).empty());
  CHECK(sweeping.store.json({"sweeps", "list"}).empty());
  CHECK(has(sweeping.store.must({"sweeps", "list"}), "no sweeps yet"));
  // A made-up seed is told, and makes the same points again.
  const ProgramOutput out = sweeping.sweep(
      "counts", {"--param", "learning_rate=0.1..0.9", "--random", "4", "--experiment", "drawn", "--metric", "loss"});
  CHECK(out.status.code == 0);
  const Json report = sweeping.show("drawn");
  CHECK(report.at("trials").size() == 4);
  const std::string seed = std::to_string(report.at("sweep").at("random").at("seed").get<std::int64_t>());
  CHECK(has(out.out, "4 with --seed " + seed));
}

TEST_CASE("Successive halving keeps the best and gives them more") {
  const Sweeping sweeping({"counts"});
  const ProgramOutput out = sweeping.sweep("counts", {"--param", "learning_rate=0.9:0.1:-0.1", "--halving",
                                                      "epochs=1:9", "--metric", "loss", "--experiment", "halved"});
  CHECK(out.status.code == 0);
  const Json report = sweeping.show("halved");
  std::map<int, std::set<std::string>> tried;
  for (const Json& trial : report.at("trials")) {
    const int rung = trial.at("rung").get<int>();
    tried[rung].insert(trial.at("parameters").at("learning_rate").get<std::string>());
    CHECK(trial.at("parameters").at("epochs") == (rung == 1 ? "1" : rung == 2 ? "3" : "9"));
    CHECK(trial.at("standing") == "succeeded");
  }
  CHECK(tried[1].size() == 9);
  CHECK(tried[2] == std::set<std::string>{"0.1", "0.2", "0.3"});
  CHECK(tried[3] == std::set<std::string>{"0.1"});
  CHECK(winner_of(report).at("rung") == 3);
  CHECK(winner_of(report).at("value").get<double>() == Approx(0.1 / 9));
  CHECK(sweeping.runs("halved").size() == 13);
  const ProgramOutput other = sweeping.store.run({"sweeps", "show", "halved", "--metric", "log_loss"});
  CHECK(other.status.code == 2);
  sweeping.check_clean();
}

TEST_CASE("Full runs are swept by their score") {
  const Sweeping sweeping({"counts"});
  const ProgramOutput out =
      sweeping.sweep("counts", {"--type", "full", "--param", "epochs=1,2", "--experiment", "full"});
  CHECK(out.status.code == 0);
  const Json report = sweeping.show("full");
  CHECK(report.at("sweep").at("metric") == "score");
  CHECK(winner_of(report).at("value") == 1.0);
  CHECK(winner_of(report).at("point") == 1);  // of equal ones the first
}

TEST_CASE("What a sweep was killed in the middle of, it goes on with") {
  const Sweeping sweeping({"slow"});
  const Arguments words = {"--param", "seconds=0.2,0.3,0.6,0.7,0.8,0.25,0.35", "--max-parallel", "2", "--experiment",
                           "killed"};
  RunningProgram program = sweeping.start("slow", words);
  REQUIRE(wait_until([&] { return sweeping.ended_runs() >= 2; }));
  // Whoever looks meanwhile disturbs nothing; who would drive it a second time may not.
  CHECK(sweeping.store.run({"sweeps", "show", "killed"}).status.code == 0);
  const ProgramOutput second = sweeping.store.run({"sweep", "--resume", "killed"});
  if (!program.has_ended()) {
    CHECK(second.status.code == 2);
    CHECK(has(second.err, "another process makes the runs of the sweep killed right now"));
  }
  program.signal(SIGKILL);
  program.wait();
  const ProgramOutput resumed = sweeping.store.run({"sweep", "--resume", "killed"});
  INFO(resumed.err);
  CHECK(resumed.status.code == 0);
  CHECK(sweeping.successes("killed") == once_each(7));
  CHECK(Sweeping::standings(sweeping.show("killed")) == std::map<std::string, int>{{"succeeded", 7}});
  CHECK(sweeping.store.versions("slow").size() == 8);
  sweeping.check_clean_after_a_kill();
}

TEST_CASE("A killed halving goes on where it was, with the same points") {
  const Sweeping sweeping({"counts"});
  sweeping.store.must({"store", "config", "slots", "1"});
  RunningProgram program =
      sweeping.start("counts", {"--param", "learning_rate=0.9:0.1:-0.1", "--halving", "epochs=1:9", "--metric", "loss",
                                "--experiment", "halved", "--max-parallel", "2"});
  REQUIRE(wait_until([&] { return sweeping.ended_runs() >= 10; }));
  program.signal(SIGKILL);
  program.wait();
  const ProgramOutput resumed = sweeping.store.run({"sweep", "--resume", "halved"});
  INFO(resumed.err);
  CHECK(resumed.status.code == 0);
  std::map<std::string, int> wanted = once_each(9);
  for (const char* const later : {"2/7", "2/8", "2/9", "3/9"}) wanted[later] = 1;
  CHECK(sweeping.successes("halved") == wanted);
  CHECK(winner_of(sweeping.show("halved")).at("rung") == 3);
  sweeping.check_clean_after_a_kill();
}

TEST_CASE("Ctrl-C begins no further run and stops those that go on, which are resumed") {
  const Sweeping sweeping({"slow"});
  RunningProgram program = sweeping.start(
      "slow", {"--param", "seconds=0.1,0.2,600", "--env", "note=x", "--max-parallel", "3", "--experiment", "stopped"});
  REQUIRE(wait_until([&] { return sweeping.ended_runs() >= 2; }));
  program.signal(SIGINT);
  const ProgramOutput out = program.wait();
  CHECK(out.status.code == 130);
  CHECK(has(out.err, "the sweep was interrupted; 'trainyard sweep --resume stopped' goes on with it"));
  const Json report = sweeping.show("stopped");
  CHECK(Sweeping::standings(report) == std::map<std::string, int>{{"succeeded", 2}, {"unfinished", 1}});
  CHECK(report.at("finished") == false);
  // What was stopped is no failure: it is tried again without being asked for.
  RunningProgram again = sweeping.store.start({"sweep", "--resume", "stopped"});
  REQUIRE(wait_until([&] { return sweeping.runs("stopped").size() == 4; }));
  again.signal(SIGTERM);
  again.signal(SIGTERM);
  CHECK(again.wait().status.code == 130);
  sweeping.check_clean();
}

TEST_CASE("A point that fails stops no other, and is tried again only on request") {
  const Sweeping sweeping({"faulty"});
  const Arguments words = {"--param", "fault=none,train throws,save crashes,nothing", "--max-parallel", "1"};
  Arguments all = words;
  all.insert(all.end(), {"--experiment", "all"});
  const ProgramOutput out = sweeping.sweep("faulty", all);
  CHECK(out.status.code == 1);
  CHECK(has(out.err, "point 2 failed in the run faulty-"));
  INFO(out.err);
  CHECK(has(out.err, ": on purpose"));
  CHECK(has(out.err, "point 3 failed in the run faulty-"));
  CHECK(has(out.err, "'trainyard sweep --resume all --retry-failed' tries their points again"));
  CHECK(Sweeping::standings(sweeping.show("all")) == std::map<std::string, int>{{"succeeded", 2}, {"failed", 2}});
  CHECK(sweeping.store.run({"sweep", "--resume", "all"}).status.code == 1);
  CHECK(sweeping.runs("all").size() == 4);
  CHECK(sweeping.store.run({"sweep", "--resume", "all", "--retry-failed"}).status.code == 1);
  CHECK(sweeping.runs("all").size() == 6);
  Arguments first = words;
  first.insert(first.end(), {"--experiment", "first", "--stop-on-failure", "--allow-repeat"});
  const ProgramOutput stopped = sweeping.sweep("faulty", first);
  CHECK(stopped.status.code == 1);
  CHECK(has(stopped.err, "points are left; 'trainyard sweep --resume first' goes on with them"));
  CHECK(Sweeping::standings(sweeping.show("first")) ==
        std::map<std::string, int>{{"succeeded", 1}, {"failed", 1}, {"not_run", 2}});
  sweeping.check_clean();
}

TEST_CASE("A point that a run has done already is not done again without a word") {
  Sweeping sweeping({"counts"});
  REQUIRE(sweeping.store.train("counts@1.0", sweeping.data, {"--env", "epochs=2"}).version() == "1.1");
  const ProgramOutput out = sweeping.sweep("counts@1.0", {"--param", "epochs=1:3:1", "--experiment", "epochs"});
  CHECK(out.status.code == 1);
  CHECK(has(out.err, "point 2 failed: the run run-1 has made counts@1.1 of counts@1.0"));
  CHECK(sweeping.runs("epochs").size() == 2);
  const ProgramOutput allowed = sweeping.store.run({"sweep", "--resume", "epochs", "--allow-repeat"});
  CHECK(allowed.status.code == 0);
  CHECK(sweeping.successes("epochs") == once_each(3));
}

TEST_CASE("A halving by a metric that nobody measures ends at once and says what there is") {
  const Sweeping sweeping({"counts"});
  const ProgramOutput out =
      sweeping.sweep("counts", {"--param", "learning_rate=0.1:0.9:0.1", "--halving", "epochs=1:9", "--metric", "los",
                                "--experiment", "mistyped", "--max-parallel", "1"});
  CHECK(out.status.code == 1);
  CHECK(has(out.err, "has measured no finite number as 'los'; it has measured log_loss, loss; did you mean 'loss'?"));
  CHECK(sweeping.runs("mistyped").size() == 1);
  // A grid is none the worse for it: the metric can be given later.
  const ProgramOutput grid =
      sweeping.sweep("counts@1.0", {"--param", "epochs=4,5", "--metric", "los", "--experiment", "grid"});
  CHECK(grid.status.code == 0);
  CHECK(has(grid.err, "did you mean 'loss'?"));
  CHECK(winner_of(sweeping.store.json({"sweeps", "show", "grid", "--metric", "loss"})).at("point") == 2);
}

TEST_CASE("A mistake is told before the first run is made") {
  const Sweeping sweeping({"counts"});
  sweeping.store.must({"dataset", "add", "numbers", sweeping.data.string()});
  struct Row {
    Arguments words;
    const char* why;
  };
  const Row rows[] = {
      {{}, "a sweep needs a parameter"},
      {{"--param", "epochs"}, "must be NAME=VALUES"},
      {{"--param", "epochs=1:9"}, "is written FROM:TO:STEP"},
      {{"--param", "epochs=10:1:1"}, "give it the other sign"},
      {{"--param", "epochs=1:2000:999"}, "hyperparameter 'epochs' is 1999 but must be between 0 and 1000"},
      {{"--param", "epochs=1,2,x"}, "hyperparameter 'epochs': 'x' is not of type Integer"},
      {{"--param", "optimizer=sgd,adma"}, "adma but must be one of sgd, adam"},
      {{"--param", "learning_rate=0.3,0.30"}, "point 2 of the sweep is the same run as one before it"},
      {{"--param", "epochs=1..9"}, "give --random N"},
      {{"--param", "epochs=1:9:1", "--random", "0"}, "--random is '0'"},
      {{"--param", "epochs=1:9:1", "--random", "10"}, "only 9 combinations"},
      {{"--param", "epochs=1:9:1", "--seed", "1"}, "--seed means nothing without --random"},
      {{"--param", "epochs=1:9:1", "--eta", "3"}, "--eta means nothing without --halving"},
      {{"--param", "epochs=1:9:1", "--halving", "learning_rate"}, "must be NAME=LEAST:MOST"},
      {{"--param", "epochs=1:9:1", "--halving", "learning_rate=1:9"}, "needs --metric"},
      {{"--param", "epochs=1:9:1", "--halving", "epochs=1:9", "--metric", "loss"}, "also a --param"},
      {{"--param", "epochs=1:9:1", "--halving", "learning_rate=1:90", "--metric", "loss"}, "must be between 0 and 10"},
      {{"--param", "epochs=1:2:1", "--goal", "min"}, "--goal means nothing without --metric"},
      {{"--param", "epochs=1:2:1", "--metric", "loss", "--goal", "least"}, "--goal: 'least' is neither max nor min"},
      {{"--param", "epochs=1:2:1", "--type", "fool"}, "--type: 'fool'"},
      {{"--param", "epochs=1:2:1", "--type", "evaluation"}, "training or full"},
      {{"--param", "epochs=1:2:1", "--max-parallel", "0"}, "--max-parallel is '0'"},
      {{"--param", "epochs=1:2:1", "--retry-failed"}, "--retry-failed means nothing without --resume"},
      {{"--param", "epochs=1:2:1", "--env", "epochs=3"}, "by --param and by --env"},
      {{"--param", "epochs=1:2:1", "--experiment", "a b"}, "'a b'"},
      {{"--param", "epochs=1:2:1", "--parma", "x=1"}, "has no option '--parma'; did you mean '--param'?"},
      {{"--param", "epochs=1:2:1", "--name", "x"}, "--name"},
      {{"--param", "epochs=1:2:1", "--resume", "x"}, "a sweep is resumed as it was begun"}};
  for (const Row& row : rows) {
    const ProgramOutput refused = sweeping.sweep("counts", row.words);
    CAPTURE(row.why, refused.err);
    CHECK(refused.status.code == 2);
    CHECK(has(refused.err, row.why));
    CHECK(refused.out == "");
  }
  const ProgramOutput lost = sweeping.store.run({"sweep", "counts", "--dataset", "nmbers", "--param", "epochs=1,2"});
  CHECK(lost.status.code == 2);
  CHECK(has(lost.err, "did you mean 'numbers'?"));
  CHECK(has(sweeping.store.run({"sweep", "--resume", "rates"}).err, "there is no sweep 'rates'"));
  CHECK(has(sweeping.store.run({"sweep"}).err, "name the package to run, or give --resume NAME"));
  CHECK(sweeping.store.json({"runs", "list"}).empty());
  CHECK(sweeping.store.json({"sweeps", "list"}).empty());
  // A name is one sweep's.
  REQUIRE(sweeping.sweep("counts", {"--param", "epochs=1,2", "--experiment", "rates"}).status.code == 0);
  CHECK(has(sweeping.sweep("counts", {"--param", "epochs=3,4", "--experiment", "rates"}).err,
            "there is a sweep rates already; 'trainyard sweep --resume rates' goes on with it"));
  CHECK(has(sweeping.store.run({"sweeps", "show", "rate"}).err, "did you mean 'rates'?"));
}

TEST_CASE("Two sweeps at once share the slots and disturb each other in nothing") {
  const Sweeping sweeping({"counts"});
  RunningProgram first = sweeping.start("counts@1.0", {"--param", "learning_rate=0.1:0.8:0.1", "--metric", "loss",
                                                       "--experiment", "first", "--max-parallel", "8"});
  RunningProgram second = sweeping.start(
      "counts@1.0", {"--param", "epochs=11:18:1", "--metric", "loss", "--experiment", "second", "--max-parallel", "8"});
  CHECK(first.wait().status.code == 0);
  CHECK(second.wait().status.code == 0);
  CHECK(sweeping.successes("first") == once_each(8));
  CHECK(sweeping.successes("second") == once_each(8));
  CHECK(winner_of(sweeping.show("first")).at("point") == 1);
  CHECK(winner_of(sweeping.show("second")).at("point") == 8);
  CHECK(sweeping.store.versions("counts").size() == 17);
  sweeping.check_clean();
}

TEST_CASE("A sweep goes on in the background, and pins the version of a dataset") {
  const Sweeping sweeping({"counts"});
  sweeping.store.must({"dataset", "add", "numbers", sweeping.data.string()});
  const ProgramOutput out = sweeping.store.run({"sweep", "counts", "--dataset", "numbers", "--param", "epochs=1:4:1",
                                                "--experiment", "behind", "--detach", "--metric", "loss"});
  CHECK(out.status.code == 0);
  CHECK(out.out == "behind\n");
  REQUIRE(wait_until([&] { return sweeping.ended_runs() == 4; }));
  const Json report = sweeping.show("behind");
  CHECK(Sweeping::standings(report) == std::map<std::string, int>{{"succeeded", 4}});
  CHECK(report.at("sweep").at("request").at("dataset") == "numbers@1");
  REQUIRE(wait_until([&] { return sweeping.store.run({"sweep", "--resume", "behind"}).status.code == 0; }));
}

TEST_CASE("Values of runs on other data are told not to compare") {
  const Sweeping sweeping({"faulty"});
  const ProgramOutput stopped = sweeping.sweep("faulty", {"--param", "fault=none,train throws,nothing", "--experiment",
                                                          "moved", "--stop-on-failure", "--max-parallel", "1"});
  CHECK(stopped.status.code == 1);
  CHECK_FALSE(has(stopped.err, "the data changed"));
  sweeping.store.temp().write("data/y.csv", "2\n");
  const ProgramOutput resumed = sweeping.store.run({"sweep", "--resume", "moved"});
  CHECK(has(resumed.err, "the data changed while the sweep went on, so that its values do not compare"));
  CHECK(sweeping.show("moved").at("same_data") == false);
}

TEST_CASE("What the README says of sweeps can be done") {
  const Sweeping sweeping({"digits"});
  const std::vector<Arguments> commands = readme_commands(TRAINYARD_README, "Sweep", DIGITS_DATA "/training");
  CHECK(commands.size() == 7);
  for (const Arguments& words : commands) sweeping.store.must(words);
  CHECK(sweeping.store.json({"sweeps", "list"}).size() == 3);
  sweeping.check_clean();
}

}  // namespace trainyard::sweep_command_test
