// SPDX-License-Identifier: Apache-2.0
#include "runner/core/version_difference.hpp"
#include "runner/core/run_results.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/example_run.hpp"

namespace trainyard::version_difference_test {
namespace {

const TreeSummary kData{sha256("data"), 3, 30};
const TreeSummary kOther{sha256("other data"), 4, 40};

RelPath path(const char* text) { return RelPath::parse(text).value(); }

Tree tree(const char* code, const char* model) {
  return Tree::of({{path("code.so"), TreeEntry::Kind::file, 1, true, sha256(code)},
                   {path("model.bin"), TreeEntry::Kind::file, 1, false, sha256(model)}})
      .value();
}

struct Made {
  std::map<std::string, std::string> environment = {{"epochs", "10"}};
  TreeSummary data = kData;
  std::string host = "forge";
  double loss = 0.5;
  std::optional<std::string> python = std::nullopt;
};

// A version that a run made, and all that is known of it.
VersionSide side(const Made& made = {}) {
  RunRequest request = example::request();
  request.environment = made.environment;
  VersionRecord version = example::parent();
  version.version = {1, 1};
  version.content.run = example::kRun;
  version.content.parent = PackageVersion{1, 0};
  RunReport report{
      example::plan_of(request).value(),
      state::Published{{{made.data, MountKind::copy, false}, std::nullopt},
                       {CollectedOutputs::Package{version.content.tree, version.content.zip}, kOther, {}, false},
                       version.version},
      example::kNow,
      example::kNow,
      {},
      kOther,
      "/runs/1/artifacts",
      version,
      {},
      {},
      "0.1.0",
      made.host};
  report.metrics.add({"loss", 1, made.loss});
  const auto record = run_record_from(results_json(report));
  REQUIRE(record.ok());
  return {version, example::manifest(), tree("code", "model"), *record, {}};
}

VersionSide upload() { return {example::parent(), example::manifest(), tree("code", "none"), std::nullopt, {}}; }

const ComparedSection& section(const VersionDifference& difference, const std::string& name) {
  const auto& all = difference.sections;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ComparedSection& section) { return section.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

// The sections that differ.
std::vector<std::string> different(const VersionDifference& difference) {
  std::vector<std::string> names;
  for (const ComparedSection& one : difference.sections)
    if (one.verdict == Comparison::different) names.push_back(one.name);
  return names;
}

using Names = std::vector<std::string>;
const std::set<RelPath> kModel = {path("model.bin")};

}  // namespace

TEST_CASE("what differs between two versions is told where it belongs", "[version_difference]") {
  CHECK(compare_versions(side(), side(), kModel).verdict() == Comparison::equal);
  struct Row {
    const char* section;
    Made made;
    Json before;
    Json after;
  };
  const Row rows[] = {
      {"parameters", {.environment = {{"epochs", "20"}}}, 10, 20},
      {"environment", {.host = "anvil"}, "forge", "anvil"},
      {"metrics", {.loss = 0.25}, 0.5, 0.25},
  };
  for (const Row& row : rows) {
    CAPTURE(row.section);
    const VersionDifference difference = compare_versions(side(), side(row.made), kModel);
    CHECK(different(difference) == Names{row.section});
    const ComparedSection& told = section(difference, row.section);
    REQUIRE(told.facts.size() == 1);
    CHECK(told.facts[0].before == row.before);
    CHECK(told.facts[0].after == row.after);
  }
  VersionSide other = side();
  other.record.content.abi.builder = "clang";
  other.record.content.score = 0.75;
  other.manifest.description = "another";
  other.tree = tree("other code", "model");
  CHECK(different(compare_versions(side(), other, kModel)) == Names{"code", "manifest", "abi", "score"});
}

TEST_CASE("data differs by its content, and its files are named where their list is there", "[version_difference]") {
  VersionSide a = side();
  VersionSide b = side({.data = kOther});
  const VersionDifference blind = compare_versions(a, b, kModel);
  CHECK(different(blind) == Names{"train_data"});
  CHECK_FALSE(section(blind, "train_data").files);
  CHECK(section(blind, "train_data").why.find("no longer in the store") != std::string::npos);
  a.data.emplace("train_data", tree("1", "2"));
  b.data.emplace("train_data", tree("1", "3"));
  const VersionDifference seeing = compare_versions(a, b, kModel);
  REQUIRE(section(seeing, "train_data").files);
  CHECK(section(seeing, "train_data").files->changed == 1);
  CHECK(section(seeing, "train_data").files->first.at(0).path == path("model.bin"));
  VersionSide moved = side();
  moved.run->inputs.front().source = "/elsewhere";
  CHECK(compare_versions(side(), moved, kModel).verdict() == Comparison::equal);
}

TEST_CASE("what runs have written is the model, and everything is code where nobody knows", "[version_difference]") {
  VersionSide a = side();
  a.tree = tree("code", "another model");
  CHECK(different(compare_versions(side(), a, kModel)) == Names{"model"});
  const VersionDifference blind = compare_versions(side(), a, std::nullopt);
  CHECK(different(blind) == Names{"code"});
  CHECK(section(blind, "model").verdict == Comparison::unknown);
}

TEST_CASE("what is gone or never was cannot be compared", "[version_difference]") {
  const VersionDifference uploads = compare_versions(upload(), upload(), std::set<RelPath>());
  CHECK(uploads.verdict() == Comparison::equal);
  VersionSide second = upload();
  second.record.version = {2, 0};
  CHECK(compare_versions(upload(), second, std::set<RelPath>()).verdict() == Comparison::equal);
  CHECK(section(compare_versions(upload(), second, std::set<RelPath>()), "train_data").why ==
        "neither was made by a run");
  VersionSide same_files = side();
  same_files.tree = upload().tree;
  const VersionDifference trained = compare_versions(upload(), same_files, std::set<RelPath>());
  CHECK(trained.verdict() == Comparison::unknown);
  for (const char* const name : {"train_data", "parameters", "environment", "metrics"}) {
    CHECK(section(trained, name).verdict == Comparison::unknown);
    CHECK(section(trained, name).why == "digits@1.0 was uploaded, so no run tells of it");
  }
  VersionSide forgotten = side();
  forgotten.run.reset();
  CHECK(section(compare_versions(forgotten, forgotten, kModel), "metrics").verdict == Comparison::equal);
  VersionSide later = side();
  later.record.version = {1, 2};
  CHECK(section(compare_versions(forgotten, later, kModel), "metrics").why == "the run that made digits@1.1 is gone");
}

TEST_CASE("of many files the first are named and all are counted", "[version_difference]") {
  std::vector<TreeEntry> entries;
  for (int i = 10; i < 99; ++i)
    entries.push_back({path(std::to_string(i).c_str()), TreeEntry::Kind::file, 1, false, sha256("x")});
  const auto files = DifferentFiles::of(difference(Tree::of(std::move(entries)).value(), Tree()));
  CHECK(files.removed == 89);
  CHECK(files.added + files.changed == 0);
  CHECK(files.first.size() == DifferentFiles::kFirst);
  CHECK(files.first.front().path == path("10"));
}

}  // namespace trainyard::version_difference_test
