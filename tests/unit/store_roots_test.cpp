// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/store_roots.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "runner/engine/run_roots.hpp"
#include "tests/unit/example_store.hpp"

namespace trainyard::store_roots_test {
namespace {

using example::ExampleStore;
using Files = StoreRoot::Files;

const TreeSummary kData{sha256("data"), 1, 4};
const TreeSummary kPackage{sha256("package"), 2, 8};
const TreeSummary kArtifacts{sha256("artifacts"), 1, 9};
const CollectedOutputs kOutputs{CollectedOutputs::Package{kPackage, {sha256("zip"), 5}}, kArtifacts, {}, false};
const StagedData kStaged{{kData, MountKind::copy, false}, std::nullopt};

std::string owner() { return example::plan().name.text() + " (" + example::kRun.text() + ")"; }

// "data needed, artifacts not_needed" of the roots of one run.
std::string told(const std::vector<StoreRoot>& roots) {
  std::string text;
  for (const StoreRoot& root : roots) {
    CHECK(root.kind == StoreRoot::Kind::run);
    CHECK(root.owner == owner());
    text += (text.empty() ? "" : ", ") + root.part + (root.files == Files::needed ? "" : " by name");
  }
  return text;
}

StoredRun stored(const std::vector<RunState>& states) {
  StoredRun run{example::plan(), {}, std::nullopt};
  for (const RunState& state : states) run.journal.push_back({example::kNow, state});
  return run;
}

const Path kRunFolder = Path("runs") / example::kRun.text();

}  // namespace

TEST_CASE("a run keeps what it may still read, and then what it made", "[store_roots]") {
  struct Row {
    const char* what;
    std::vector<RunState> states;
    const char* active;
    const char* over;
  };
  const Outcome crash = outcome(RunReason::crashed, "signal 11");
  const std::vector<Row> rows = {
      {"planned", {state::Planned{}}, "package", ""},
      {"staged", {state::Planned{}, state::Staged{kStaged}}, "package, data by name", "data by name"},
      {"collected",
       {state::Planned{}, state::Staged{kStaged}, state::Collected{kStaged, kOutputs}},
       "package, data by name, package",
       "data by name"},
      {"failed",
       {state::Staged{kStaged}, state::Failed{"Exited", crash, kStaged}},
       "package, data by name",
       "data by name"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(told(roots_of(stored(row.states), RunLife::active)) == row.active);
    CHECK(told(roots_of(stored(row.states), RunLife::over)) == row.over);
  }
  StoredRun made = stored({state::Published{kStaged, kOutputs, {1, 1}}});
  made.artifacts = kArtifacts;
  CHECK(told(roots_of(made, RunLife::over)) == "data by name, artifacts");
}

TEST_CASE("data that was pinned for a run is kept whole until the run is over", "[store_roots]") {
  StoredRun run = stored({state::Planned{}, state::Staged{kStaged}});
  run.plan.data = {DataSource::Kind::archive, "/store/checkouts/x", kData, std::nullopt};
  CHECK(told(roots_of(run, RunLife::active)) == "data, package");
  CHECK(told(roots_of(run, RunLife::over)) == "data by name");
  run.plan.evaluation_data = {DataSource::Kind::archive, "/store/checkouts/y", kArtifacts, std::nullopt};
  CHECK(told(roots_of(run, RunLife::active)) == "data, evaluation data, package");
}

TEST_CASE("an evaluation keeps no package", "[store_roots]") {
  const CollectedOutputs outputs{std::nullopt, kArtifacts, Evaluation{0.5, std::nullopt}, false};
  StoredRun run = stored({state::Staged{kStaged}, state::Collected{kStaged, outputs}});
  CHECK(told(roots_of(run, RunLife::active)) == "package, data by name");
  run = stored({state::Evaluated{kStaged, outputs}});
  run.artifacts = kArtifacts;
  CHECK(told(roots_of(run, RunLife::over)) == "data by name, artifacts");
}

TEST_CASE("a reproduction keeps what it made, which is no version", "[store_roots]") {
  StoredRun run = stored({state::Staged{kStaged}, state::Reproduced{kStaged, kOutputs}});
  run.artifacts = kArtifacts;
  CHECK(told(roots_of(run, RunLife::over)) == "data by name, package, artifacts");
  CHECK(roots_of(run, RunLife::over)[1].tree == kOutputs.package->tree.digest);
}

TEST_CASE("every record of a store is a root", "[store_roots]") {
  ExampleStore example;
  const TreeSummary one = example.put({{"a", "1"}});
  const TreeSummary two = example.put({{"a", "2"}});
  const TreeSummary three = example.put({{"a", "3"}});
  example.add_version(one);
  example.add_version(two);
  example.add_snapshot(three);
  example.add_dataset("Weather", three);
  example.add_run(example::plan(), {state::Published{kStaged, kOutputs, {1, 1}}}, false);

  const StoreRoots found = read_store_roots(example.store());
  CHECK(found.unreadable.empty());
  std::vector<std::string> texts;
  for (const StoreRoot& root : found.roots) texts.push_back(text_of(root));
  CHECK(texts == std::vector<std::string>{"version digits@1.0", "version digits@2.0", "snapshot " + three.digest.hex(),
                                          "dataset Weather@1", "the data of run " + owner(),
                                          "the artifacts of run " + owner()});
  REQUIRE(found.roots.size() == 6);
  CHECK(found.roots[0].tree == one.digest);
  CHECK(found.roots[1].tree == two.digest);
  CHECK(found.roots[3].tree == three.digest);
  CHECK(found.roots[5].tree == kArtifacts.digest);
  CHECK(found.complete().value() == found.roots);
}

TEST_CASE("a store without records has no roots", "[store_roots]") {
  const ExampleStore example;
  const StoreRoots found = read_store_roots(example.store());
  CHECK(found.roots.empty());
  CHECK(found.complete().ok());
}

TEST_CASE("the artifacts of a run that failed are told by its results alone", "[store_roots]") {
  ExampleStore example;
  example.add_run(example::plan(), {state::Failed{"Exited", outcome(RunReason::crashed, "signal 11"), kStaged}}, false);
  const auto write = [&](const Json& traceability) {
    example.folder().write((Path("store") / kRunFolder / "_results.json").string(),
                           Json{{"traceability", traceability}, {"parameters", nullptr}}.dump());
  };
  write({{"schema", "trainyard.results/1"}, {"artifacts", to_json(kArtifacts)}, {"status", "Failed"}});
  auto roots = read_store_roots(example.store()).complete().value();
  CHECK(told(roots) == "data by name, artifacts");
  write({{"schema", "trainyard.results/1"}, {"artifacts", nullptr}});
  roots = read_store_roots(example.store()).complete().value();
  CHECK(told(roots) == "data by name");
  write({{"schema", "trainyard.results/2"}, {"artifacts", nullptr}});
  const StoreRoots newer = read_store_roots(example.store());
  REQUIRE(newer.unreadable.size() == 1);
  CHECK(newer.unreadable.front().code == Errc::incompatible);
  CHECK(newer.unreadable.front().message.find("_results.json") != std::string::npos);
}

TEST_CASE("whatever cannot be read or is not known keeps the roots from being complete", "[store_roots]") {
  struct Row {
    const char* path;
    const char* text;
    const char* named;  // in the error
  };
  const std::string run = kRunFolder.string();
  const std::string plan = run + "/plan.json";
  const std::string journal = run + "/journal.jsonl";
  const std::string strange_run = run + "x/plan.json";
  const std::vector<Row> rows = {
      {"packages/digits/1.0.json", "{", "packages/digits/1.0.json"},
      {"packages/digits/1.0.json", "{\"schema\":\"trainyard.version/2\"}", "packages/digits/1.0.json"},
      {"packages/digits/notes.txt", "hello", "notes.txt"},
      {"packages/digits/1.7.json", nullptr, "1.7.json"},  // a copy of 1.0
      {"packages/file", "hello", "packages/file"},
      {"snapshots/abcd.json", "{}", "abcd.json"},
      {"snapshots/readme", "hello", "snapshots/readme"},
      {"datasets/weather/1.json", "[]", "datasets/weather/1.json"},
      {"datasets/weather/one.json", "{}", "one.json"},
      {plan.c_str(), "{}", "plan.json"},
      {journal.c_str(), "{}\n", "journal.jsonl"},
      {journal.c_str(), "not json\n", "journal.jsonl"},
      {journal.c_str(), "{\"torn\":", "journal.jsonl"},
      {strange_run.c_str(), "{}", "is nothing that Trainyard keeps among its runs"},
      {"active/somebody", "", "active/somebody"},
  };
  for (const Row& row : rows) {
    INFO(row.path << ": " << (row.text == nullptr ? "a copy" : row.text));
    ExampleStore example;
    const TreeSummary tree = example.put({{"a", "1"}});
    example.add_version(tree);
    example.add_snapshot(tree);
    example.add_dataset("weather", tree);
    example.add_run(example::plan(), {state::Planned{}}, false);
    REQUIRE(read_store_roots(example.store()).complete().ok());
    const std::string text = row.text != nullptr ? row.text : example.folder().read("store/packages/digits/1.0.json");
    boost::filesystem::remove(example.root() / row.path);
    example.folder().write("store/" + std::string(row.path), text);
    const auto complete = read_store_roots(example.store()).complete();
    REQUIRE_FALSE(complete.ok());
    CHECK((complete.error().code == Errc::corrupt || complete.error().code == Errc::incompatible));
    CHECK(complete.error().message.find(row.named) != std::string::npos);
  }
}

TEST_CASE("a run that is at work may have a torn line and no plan yet", "[store_roots]") {
  ExampleStore example;
  example.add_run(example::plan(), {state::Planned{}, state::Staged{kStaged}}, true);
  const std::string journal = (Path("store") / kRunFolder / "journal.jsonl").string();
  example.folder().write(journal, example.folder().read(journal) + "{\"torn\":");
  CHECK(told(read_store_roots(example.store()).complete().value()) == "package, data by name");

  const std::string next = "019b76da-a800-7c3f-9a51-6d0e8f1b2c4e";
  example.folder().folder("store/runs/" + next);
  CHECK_FALSE(read_store_roots(example.store()).complete().ok());
  example.folder().write("store/active/" + next, "");
  CHECK(told(read_store_roots(example.store()).complete().value()) == "package, data by name");
}

TEST_CASE("the checkouts that are in use are those of active runs", "[store_roots]") {
  ExampleStore example;
  RunPlan plan = example::plan();
  plan.data = {DataSource::Kind::archive, "/store/checkouts/x", kData, std::nullopt};
  example.add_run(plan, {state::Planned{}}, true);
  CHECK(trees_in_use(example.store()).value() == std::set<Digest>{kData.digest});
  boost::filesystem::remove(example.root() / "active" / plan.run.text());
  CHECK(trees_in_use(example.store()).value().empty());
}

}  // namespace trainyard::store_roots_test
