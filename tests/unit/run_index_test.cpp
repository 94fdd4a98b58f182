// SPDX-License-Identifier: Apache-2.0
#include "storage/runs/run_index.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/temp_folder.hpp"

namespace trainyard::run_index_test {
namespace {

using Names = std::vector<std::string>;

// Run folders without anything in them, and what a reader would tell of each.
struct Runs {
  TempFolder temp;
  Path folder = temp.folder("runs");
  Path file = temp.path() / "runs.sqlite";
  std::map<std::string, RunFacts> facts;
  std::multiset<std::string> read;  // ids, as often as they were asked for

  // The number makes the id, the name and the time.
  RunFacts& add(int number) {
    char id[64];
    std::snprintf(id, sizeof(id), "019b76da-a800-7c3f-9a51-%012x", static_cast<unsigned>(number));
    temp.folder("runs/" + std::string(id));
    RunFacts& run = facts[id];
    run.id = id;
    run.name = "run-" + std::to_string(number);
    run.type = "training";
    run.package = "digits";
    run.version = "1.0";
    run.status = "Successful";
    run.reason = "ok";
    run.started = Instant{number};
    run.over = true;
    return run;
  }
  void remove(const RunFacts& run) {
    const std::string id = run.id;
    boost::filesystem::remove(folder / id);
    facts.erase(id);
  }
  Result<RunIndex> index() {
    auto index = TRY(RunIndex::open(file));
    read.clear();
    TRY(index.refresh(folder, [&](const RunId& run) -> std::optional<RunFacts> {
      read.insert(run.text());
      const auto found = facts.find(run.text());
      return found == facts.end() || found->second.name.empty() ? std::nullopt : std::optional(found->second);
    }));
    return index;
  }
  Names find(const RunQuery& query) {
    Names names;
    const auto opened = index();
    REQUIRE(opened.ok());
    const auto found = opened->find(query);
    REQUIRE(found.ok());
    for (const RunFacts& run : found->runs) names.push_back(run.name);
    return names;
  }
  Names all() { return find({}); }
};

}  // namespace

TEST_CASE("an index of runs follows the run folders", "[run_index]") {
  Runs runs;
  CHECK(runs.all().empty());
  runs.add(1);
  RunFacts& second = runs.add(2);
  second.over = false;
  second.status = "Running";
  CHECK(runs.all() == Names{"run-1", "run-2"});
  // One that is over is read once, the other each time.
  CHECK(runs.all() == Names{"run-1", "run-2"});
  CHECK(runs.read == std::multiset<std::string>{second.id});
  second.over = true;
  second.status = "Failed";
  CHECK(runs.find({.status = "Failed"}) == Names{"run-2"});
  CHECK(runs.all().size() == 2);
  CHECK(runs.read.empty());
  runs.add(3);
  runs.remove(second);
  CHECK(runs.all() == Names{"run-1", "run-3"});
  // What has not begun has no facts yet.
  runs.add(4).name.clear();
  CHECK(runs.all() == Names{"run-1", "run-3"});
  CHECK(runs.index()->find({})->known == 3);
  runs.temp.write("runs/notes.txt", "not a run");
  CHECK(runs.all() == Names{"run-1", "run-3"});
}

TEST_CASE("an index of runs that is gone or damaged is made again", "[run_index]") {
  Runs runs;
  runs.add(1);
  CHECK(runs.all() == Names{"run-1"});
  REQUIRE(RunIndex::remove(runs.file).ok());
  CHECK(runs.all() == Names{"run-1"});
  REQUIRE(RunIndex::remove(runs.file).ok());
  runs.temp.write("runs.sqlite", std::string(8192, 'x'));
  const auto damaged = runs.index();
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().code == Errc::corrupt);
  REQUIRE(RunIndex::remove(runs.file).ok());
  CHECK(runs.all() == Names{"run-1"});
  const auto passing = RunIndex::open(":memory:");
  REQUIRE(passing.ok());
}

TEST_CASE("runs are found by what they are", "[run_index]") {
  Runs runs;
  RunFacts& first = runs.add(1);
  first.tags = {{"size", "big"}, {"mine", ""}};
  first.experiment = "lines";
  first.seconds = 5;
  RunFacts& second = runs.add(2);
  second.package = "Wine";
  second.version = "2.1";
  second.type = "evaluation";
  second.score = 0.5;
  second.tags = {{"size", "small"}};
  second.seconds = 1;
  RunFacts& third = runs.add(3);
  third.score = -1;
  third.seconds = 3;
  CHECK(runs.find({.package = "wine"}) == Names{"run-2"});
  CHECK(runs.find({.package = "digits", .version = "1.0"}) == Names{"run-1", "run-3"});
  CHECK(runs.find({.package = "digits", .version = "1.1"}).empty());
  CHECK(runs.find({.type = "evaluation"}) == Names{"run-2"});
  CHECK(runs.find({.experiment = "lines"}) == Names{"run-1"});
  CHECK(runs.find({.tags = {"size"}}) == Names{"run-1", "run-2"});
  CHECK(runs.find({.tags = {"size=big", "mine"}}) == Names{"run-1"});
  CHECK(runs.find({.tags = {"size=big", "mine=x"}}).empty());
  CHECK(runs.find({.key = RunQuery::Key::took}) == Names{"run-2", "run-3", "run-1"});
  CHECK(runs.find({.key = RunQuery::Key::score}) == Names{"run-1", "run-3", "run-2"});
  CHECK(runs.find({.key = RunQuery::Key::score, .reverse = true, .limit = 1}) == Names{"run-2"});
  CHECK(runs.find({.limit = 2}) == Names{"run-2", "run-3"});
  const auto found = runs.index()->find({.limit = 2});
  CHECK(found->left_out == 1);
  CHECK(found->known == 3);
  CHECK(found->runs[0].tags == second.tags);
  CHECK(found->runs[0].score == 0.5);
  CHECK_FALSE(runs.index()->find({})->runs[0].score);
}

TEST_CASE("a run is named by its name or a part of its id", "[run_index]") {
  Runs runs;
  const std::string id = runs.add(0xabc).id;
  runs.add(2).name = "ab*";
  const auto named = [&](const std::string& wanted) {
    Names ids;
    const auto index = runs.index();
    const auto found = index->named(wanted);
    for (const RunId& run : *found) ids.push_back(run.text());
    return ids;
  };
  CHECK(named("run-2748") == Names{id});
  CHECK(named(id) == Names{id});
  CHECK(named("000000abc") == Names{id});
  CHECK(named("019b").size() == 2);
  CHECK(named("abc").empty());  // too short for a part
  CHECK(named("ab*").size() == 1);
  CHECK(named("nothing").empty());
  CHECK(runs.index()->names().value().size() == 2);
}

TEST_CASE("runs of one definition are found, the newest first", "[run_index]") {
  Runs runs;
  for (const int number : {1, 2, 3, 4}) {
    RunFacts& run = runs.add(number);
    run.definition = number == 3 ? "other" : number == 4 ? "" : "same";
    run.data = "data " + std::to_string(number);
    run.made = "1." + std::to_string(number);
    run.reproduces = number == 4 ? "1.1" : "";
  }
  const auto index = runs.index();
  REQUIRE(index.ok());
  const auto found = index->defined("same");
  REQUIRE(found.ok());
  REQUIRE(found->size() == 2);
  CHECK(found->front().data == "data 2");
  CHECK(found->front().made == "1.2");
  CHECK(found->back().name == "run-1");
  CHECK(index->defined("nothing")->empty());
  CHECK(index->defined("")->empty());
  CHECK(index->find({})->runs.back().reproduces == "1.1");
}

}  // namespace trainyard::run_index_test
