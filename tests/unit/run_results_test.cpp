// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_results.hpp"
#include "storage/values/sha256.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "tests/unit/example_run.hpp"

namespace trainyard::run_results_test {
namespace {

const TreeSummary kData{sha256("data"), 3, 30};
const TreeSummary kArtifacts{sha256("artifacts"), 1, 5};

RunReport successful(bool snapshot) {
  RunRequest request = example::request();
  request.environment = {{"epochs", "10"}};
  VersionRecord version = example::parent();
  version.version = {1, 1};
  JobExit exit;
  exit.code = 0;
  exit.user_us = 1'500'000;
  return {
      example::plan_of(request).value(),
      state::Published{{{kData, MountKind::copy, snapshot}, std::nullopt},
                       {CollectedOutputs::Package{version.content.tree, version.content.zip}, kArtifacts, {}, false},
                       {1, 1}},
      example::kNow,
      Instant{example::kNow.microseconds + 12'500'000},
      {{exit.started_at, exit.ended_at, {}, exit}},
      kArtifacts,
      "/runs/1/artifacts",
      version,
      {},
      {},
      "0.1.0",
      "forge"};
}

RunReport failed(const Outcome& outcome) {
  RunReport report = successful(false);
  report.state = state::Failed{"Exited", outcome, StagedData{{kData, MountKind::copy, false}, std::nullopt}};
  report.version = std::nullopt;
  report.attempts.front().outcome = outcome;
  return report;
}

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [key, value] : json.items()) names.push_back(key);
  return names;
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("the results have their fixed keys, whatever happened", "[run_results]") {
  RunReport nothing = failed(outcome(RunReason::lost, "gone"));
  nothing.state = state::Failed{"Planned", outcome(RunReason::lost, "gone"), std::nullopt};
  nothing.attempts.clear();
  nothing.artifacts = std::nullopt;
  for (const RunReport& report : {successful(true), failed(outcome(RunReason::crashed, "signal 11")), nothing}) {
    const Json json = results_json(report);
    CHECK(keys(json) == Keys{"parameters", "run_summary", "traceability"});
    CHECK(keys(json["parameters"]) == Keys{"env", "inputs", "pipeline"});
    CHECK(keys(json["parameters"]["inputs"]) == Keys{"gpu", "package", "train_data", "version"});
    CHECK(keys(json["run_summary"]) == Keys{"end_at", "execution_time", "outputs", "start_at"});
    CHECK(keys(json["run_summary"]["outputs"]) == Keys{"artifacts_data", "package", "train_data", "version"});
    CHECK(keys(json["traceability"]) == Keys{"abi",     "artifacts",       "attempts", "datasets", "experiment",
                                             "host",    "hyperparameters", "limits",   "message",  "metrics",
                                             "overlap", "parent",          "python",   "reason",   "reproduces",
                                             "run",     "runner",          "schema",   "score",    "secrets",
                                             "seed",    "snapshot",        "status",   "tags",     "trained_on_dataset",
                                             "type",    "version"});
  }
}

TEST_CASE("the results of a run that made a version", "[run_results]") {
  const Json json = results_json(successful(true));
  CHECK(json["parameters"]["pipeline"] == Json("digits-8f1b2c4d"));
  CHECK(json["parameters"]["inputs"] ==
        Json({{"package", "digits"}, {"version", "1.0"}, {"train_data", "/data/digits"}, {"gpu", "False"}}));
  CHECK(json["parameters"]["env"]["epochs"] == Json("10"));
  CHECK(json["parameters"]["env"]["artifacts_directory"] == Json("artifacts"));
  for (const auto& [key, value] : json["parameters"]["env"].items()) CHECK(value.is_string());
  CHECK(json["run_summary"]["execution_time"] == Json(12.5));
  CHECK(json["run_summary"]["start_at"] == Json(1767225600.0));
  CHECK(json["run_summary"]["end_at"] == Json(1767225612.5));
  CHECK(json["run_summary"]["start_at"].is_number_float());
  const std::string snapshot = sha256("data").hex();
  CHECK(json["run_summary"]["outputs"] == Json({{"train_data", snapshot},
                                                {"artifacts_data", "/runs/1/artifacts"},
                                                {"package", "digits"},
                                                {"version", "1.1"}}));
  const Json& trace = json["traceability"];
  CHECK(trace["status"] == Json("Successful"));
  CHECK(trace["reason"] == Json("ok"));
  CHECK(trace["message"].is_null());
  CHECK(trace["snapshot"] == Json(snapshot));
  CHECK(trace["datasets"] == Json::array({{{"input", "train_data"},
                                           {"source", "/data/digits"},
                                           {"kind", "folder"},
                                           {"bucket", nullptr},
                                           {"dataset", nullptr},
                                           {"tree", to_json(kData)},
                                           {"mount", "copy"},
                                           {"snapshot", snapshot}}}));
  CHECK(trace["parent"]["version"] == Json("1.0"));
  CHECK(trace["version"]["version"] == Json("1.1"));
  CHECK(trace["version"]["zip"]["digest"] == Json(sha256("zip").hex()));
  CHECK(trace["artifacts"] == to_json(kArtifacts));
  CHECK(trace["seed"] == Json(1));
  CHECK(trace["hyperparameters"] == Json({{"epochs", 10}, {"optimizer", "momentum"}, {"augment", true}, {"seed", 1}}));
  CHECK(trace["attempts"].size() == 1);
  CHECK(trace["attempts"][0]["exit_code"] == Json(0));
  CHECK(trace["attempts"][0]["user_seconds"] == Json(1.5));
  CHECK(results_json(successful(false))["run_summary"]["outputs"]["train_data"].is_null());
}

TEST_CASE("a journal tells of each attempt when it ran and how it ended", "[run_results]") {
  const StagedData data{{kData, MountKind::copy, false}, std::nullopt};
  const Outcome crash{RunReason::crashed, "signal 11"};
  const Outcome gone{RunReason::lost, "gone"};
  const JobId job{"1"};
  const std::vector<RunState> states = {state::Queued{"x"},         // 0
                                        state::Planned{},           // 1
                                        state::Staged{data},        // 2
                                        state::Running{data, job},  // 3
                                        state::Exited{data},        // 4
                                        state::Retrying{data, 2, crash},
                                        state::Staged{data},        // 6
                                        state::Running{data, job},  // 7
                                        state::Retrying{data, 3, gone},
                                        state::Staged{data},         // 9
                                        state::Running{data, job},   // 10
                                        state::Stopping{data, job},  // 11
                                        state::Exited{data},         // 12
                                        state::Failed{"Exited", {RunReason::stopped, "by a user"}, data}};
  struct Row {
    std::size_t entries;  // of the journal
    std::vector<std::array<std::int64_t, 2>> times;
    std::vector<RunReason> reasons;
  };
  const Row rows[] = {
      {3, {}, {}},
      {4, {{3, 3}}, {RunReason::ok}},
      {5, {{3, 4}}, {RunReason::ok}},
      {6, {{3, 4}}, {RunReason::crashed}},
      {9, {{3, 4}, {7, 8}}, {RunReason::crashed, RunReason::lost}},
      {14, {{3, 4}, {7, 8}, {10, 12}}, {RunReason::crashed, RunReason::lost, RunReason::stopped}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.entries);
    std::vector<JournalEntry> journal;
    for (std::size_t i = 0; i < row.entries; ++i) journal.push_back({{static_cast<std::int64_t>(i)}, states[i]});
    const auto attempts = attempts_in(journal);
    REQUIRE(attempts.size() == row.times.size());
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      CHECK(attempts[i].started_at.microseconds == row.times[i][0]);
      CHECK(attempts[i].ended_at.microseconds == row.times[i][1]);
      CHECK(attempts[i].outcome.reason == row.reasons[i]);
    }
  }
  CHECK(start_in({{{1}, state::Queued{"x"}}, {{2}, state::Planned{}}, {{3}, state::Planned{}}}) == Instant{2});
  CHECK_FALSE(start_in({{{1}, state::Queued{"x"}}}));
  // What goes wrong while the next attempt is staged is not the last one's fault.
  const auto attempts = attempts_in({{{1}, state::Running{data, job}},
                                     {{2}, state::Retrying{data, 2, crash}},
                                     {{3}, state::Failed{"Retrying", {RunReason::invalid_input, "x"}, data}}});
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].outcome == crash);
}

TEST_CASE("what a run has used of its longest runtime is the time in which its jobs ran", "[run_results]") {
  const auto seconds = [](std::int64_t many) { return Instant{many * 1'000'000}; };
  const auto attempt = [&](std::int64_t started, std::optional<std::int64_t> begun, std::optional<std::int64_t> told,
                           std::int64_t ended) {
    Attempt one{seconds(started), seconds(ended), {}, {}};
    if (begun) one.begun_at = seconds(*begun);
    if (told) one.exit.emplace().ended_at = seconds(*told);
    return one;
  };
  struct Row {
    const char* why;
    std::vector<Attempt> attempts;
    std::int64_t milliseconds;
  };
  const Row rows[] = {
      {"none", {}, 0},
      {"one that told", {attempt(0, 2, 9, 10)}, 7000},
      {"one that waited long and died", {attempt(0, 100, {}, 103)}, 3000},
      {"one that never began", {attempt(0, {}, {}, 50)}, 0},
      {"a clock that was set back", {attempt(0, 100, 40, 110)}, 0},
      {"several", {attempt(0, 2, 9, 10), attempt(20, 100, {}, 103), attempt(110, 110, 111, 112)}, 11000},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(milliseconds_run(row.attempts) == row.milliseconds);
  }
}

TEST_CASE("the results tell the version of the dataset that a name meant", "[run_results]") {
  RunReport report = successful(false);
  report.plan.request.dataset = "digits/training";
  report.plan.data = {DataSource::Kind::dataset, "/store/checkouts/x", kData,
                      DatasetReference::parse("digits@3/training").value()};
  const Json json = results_json(report);
  CHECK(json["parameters"]["inputs"]["train_data"] == Json("digits/training"));
  const Json& dataset = json["traceability"]["datasets"][0];
  CHECK(dataset["source"] == Json("digits/training"));
  CHECK(dataset["kind"] == Json("dataset"));
  CHECK(dataset["dataset"] == Json({{"name", "digits"}, {"version", 3}, {"folder", "training"}}));
}

TEST_CASE("the results of a run that failed name no version", "[run_results]") {
  const Json json = results_json(failed(outcome(RunReason::max_runtime, "too long")));
  CHECK(json["run_summary"]["outputs"]["package"].is_null());
  CHECK(json["run_summary"]["outputs"]["version"].is_null());
  CHECK(json["run_summary"]["outputs"]["artifacts_data"] == Json("/runs/1/artifacts"));
  CHECK(json["traceability"]["status"] == Json("Killed"));
  CHECK(json["traceability"]["reason"] == Json("max_runtime"));
  CHECK(json["traceability"]["message"] == Json("too long"));
  CHECK(json["traceability"]["version"].is_null());
  CHECK(json["traceability"]["attempts"][0]["reason"] == Json("max_runtime"));
}

TEST_CASE("the results of an evaluation have a score and no version", "[run_results]") {
  RunReport report = successful(true);
  report.plan = example::plan(RunType::evaluation);
  report.version = std::nullopt;
  const StagedData staged{{kData, MountKind::copy, true}, std::nullopt};
  report.state =
      state::Evaluated{staged, {std::nullopt, kArtifacts, Evaluation{0.75, DataOverlap{1, 3, {"a.csv"}}}, false}};
  const Json json = results_json(report);
  const std::string snapshot = sha256("data").hex();
  CHECK(json["parameters"]["inputs"] ==
        Json({{"package", "digits"}, {"version", "1.0"}, {"evaluation_data", "/data/digits"}, {"gpu", "False"}}));
  CHECK(json["run_summary"]["outputs"] ==
        Json({{"evaluation_data", snapshot}, {"artifacts_data", "/runs/1/artifacts"}, {"score", 0.75}}));
  const Json& trace = json["traceability"];
  CHECK(trace["type"] == Json("evaluation"));
  CHECK(trace["status"] == Json("Successful"));
  CHECK(trace["score"] == Json(0.75));
  CHECK(trace["overlap"] == Json({{"files", 1}, {"of", 3}, {"examples", {"a.csv"}}}));
  CHECK(trace["trained_on_dataset"].is_null());
  CHECK(trace["version"].is_null());
  CHECK(trace["datasets"][0]["input"] == Json("evaluation_data"));

  report.state = state::Failed{"Exited", outcome(RunReason::package_error, "no score"), staged};
  const Json failed = results_json(report);
  CHECK(failed["run_summary"]["outputs"]["score"].is_null());
  CHECK(failed["traceability"]["score"].is_null());
}

TEST_CASE("the results of a full run have both halves", "[run_results]") {
  RunReport report = successful(true);
  report.plan = example::plan(RunType::full);
  auto published = std::get<state::Published>(report.state);
  published.outputs.evaluation = Evaluation{0.75, std::nullopt};
  published.outputs.trained_on_dataset = true;
  report.state = published;
  Json json = results_json(report);
  CHECK(json["parameters"]["inputs"]["train_data"] == Json("/data/digits"));
  CHECK(json["parameters"]["inputs"]["evaluation_data"].is_null());
  CHECK(keys(json["run_summary"]["outputs"]) ==
        Keys{"artifacts_data", "evaluation_data", "package", "score", "train_data", "version"});
  CHECK(json["run_summary"]["outputs"]["evaluation_data"].is_null());
  CHECK(json["run_summary"]["outputs"]["score"] == Json(0.75));
  CHECK(json["traceability"]["trained_on_dataset"] == Json(true));
  CHECK(json["traceability"]["datasets"].size() == 1);

  report.plan.request.evaluation_dataset = "/data/test";
  report.plan.evaluation_data = example::folder("/data/test");
  published.data.evaluation = StagedInput{kArtifacts, MountKind::copy, true};
  report.state = published;
  json = results_json(report);
  CHECK(json["parameters"]["inputs"]["evaluation_data"] == Json("/data/test"));
  CHECK(json["run_summary"]["outputs"]["evaluation_data"] == Json(kArtifacts.digest.hex()));
  CHECK(json["traceability"]["datasets"][1]["input"] == Json("evaluation_data"));
  CHECK(json["traceability"]["datasets"][1]["tree"] == to_json(kArtifacts));
}

TEST_CASE("metrics are summed up over a run", "[run_results]") {
  MetricSummaries metrics;
  CHECK(metrics.json() == Json::object());
  metrics.add({"loss", 0, 2.0});
  metrics.add({"loss", 1, std::numeric_limits<double>::infinity()});
  metrics.add({"loss", 2, 0.5});
  metrics.add({"loss", 3, std::numeric_limits<double>::quiet_NaN()});
  metrics.add({"only_nan", 9, std::numeric_limits<double>::quiet_NaN()});
  const Json json = metrics.json();
  CHECK(json["loss"] == Json({{"count", 4}, {"last", "NaN"}, {"last_step", 3}, {"min", 0.5}, {"max", 2.0}}));
  CHECK(json["only_nan"] ==
        Json({{"count", 1}, {"last", "NaN"}, {"last_step", 9}, {"min", nullptr}, {"max", nullptr}}));
}

TEST_CASE("the results tell what a run left for people", "[run_results]") {
  CHECK(artifacts_in_results(results_json(successful(true))).value() == kArtifacts);
  RunReport nothing = failed(outcome(RunReason::crashed, "signal 11"));
  nothing.artifacts = std::nullopt;
  CHECK(artifacts_in_results(results_json(nothing)).value() == std::nullopt);
  for (const char* const wrong :
       {"{}", "{\"traceability\":3}", "{\"traceability\":{\"schema\":\"trainyard.results/1\"}}",
        "{\"traceability\":{\"schema\":\"trainyard.results/1\",\"artifacts\":{\"files\":1}}}"}) {
    INFO(wrong);
    CHECK_FALSE(artifacts_in_results(Json::parse(wrong)).ok());
  }
  Json newer = results_json(nothing);
  newer["traceability"]["schema"] = "trainyard.results/2";
  CHECK(artifacts_in_results(newer).error().code == Errc::incompatible);
}

}  // namespace trainyard::run_results_test
