// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/lineage.hpp"
#include "storage/values/sha256.hpp"

// The past of one version, for tests: an upload, a training, an evaluation and a full run. Names are as odd as they may be.
namespace trainyard::example {

inline const char* const kOddFolder = "/data/a \"quoted\" \\n <b> & 50% folder";

inline RunId run_id(char last) {
  return RunId::parse(std::string("019b76da-a800-7c3f-9a51-6d0e8f1b2c4") + last).value();
}

inline TreeSummary tree_of(const std::string& text, std::uint64_t files = 1) { return {sha256(text), files, 1000}; }

inline RecordedVersion recorded(std::uint32_t minor) {
  const std::string text = "digits@1." + std::to_string(minor);
  return {PackageName::parse("digits").value(), {1, minor}, tree_of(text, 3), {sha256("zip of " + text), 900}};
}

inline Instant minute(std::int64_t minutes) { return {1'767'225'600'000'000 + minutes * 60'000'000}; }

inline VersionRecord version_record(std::uint32_t minor, std::optional<RunId> run) {
  const RecordedVersion told = recorded(minor);
  VersionDraft draft{told.package,
                     minute(minor * 10),
                     minor == 0 ? std::nullopt : std::optional(PackageVersion{1, minor - 1}),
                     std::move(run),
                     told.tree,
                     told.zip,
                     {Runtime::native, 1, 0, "g++", {Verb::train, Verb::save}},
                     minor == 0 ? "the first one" : ""};
  if (minor == 2) draft.score = 0.96875;
  return {{1, minor}, draft};
}

inline LineageVersion there(std::uint32_t minor, std::optional<RunId> run) {
  const VersionRecord record = version_record(minor, std::move(run));
  return {record.content.name, record.version, LineageVersion::State::there, record, std::nullopt, ""};
}

inline RunRecord run_record(const RunId& run, RunType type, std::uint32_t parent, std::int64_t start) {
  return {run,
          RunName::parse("run-" + run.text().substr(35)).value(),
          type,
          {},
          minute(start),
          {minute(start).microseconds + 12'500'000},
          {{"epochs", "10"}, {"artifacts_directory", "artifacts"}},
          {},
          recorded(parent),
          std::nullopt,
          tree_of("artifacts"),
          "/store/runs/" + run.text() + "/artifacts",
          std::nullopt,
          Runtime::native,
          1,
          0,
          "g++ 12.2.0",
          std::nullopt,
          std::nullopt,
          {},
          "trainyard 0.1.0",
          "forge",
          std::nullopt,
          {{"epochs", std::int64_t{10}}},
          {},
          false,
          Json::object(),
          std::nullopt,
          nullptr};
}

inline RecordedInput folder_input(const char* input, const char* path) {
  return {input, path, DataSource::Kind::folder, std::nullopt, tree_of(path, 2), std::nullopt};
}

inline RunRecord training_record() {
  RunRecord record = run_record(run_id('1'), RunType::training, 0, 9);
  record.inputs = {folder_input("train_data", kOddFolder)};
  record.version = recorded(1);
  record.metrics = {{"loss", {{"count", 2}, {"last", 0.25}, {"last_step", 10}, {"min", 0.25}, {"max", 2.5}}},
                    {"drift", {{"count", 1}, {"last", "NaN"}, {"last_step", 1}, {"min", nullptr}, {"max", nullptr}}}};
  record.tags = {{"machine", "big"}};
  return record;
}

inline RunRecord evaluation_record() {
  RunRecord record = run_record(run_id('2'), RunType::evaluation, 1, 15);
  record.inputs = {folder_input("evaluation_data", "/data/test")};
  record.score = 0.875;
  return record;
}

inline RunRecord full_record() {
  RunRecord record = run_record(run_id('3'), RunType::full, 1, 19);
  const DatasetReference weather = DatasetReference::parse("weather@2").value();
  record.inputs = {{"train_data", "weather@2", DataSource::Kind::dataset, weather, tree_of("weather", 5000), {}}};
  record.version = recorded(2);
  record.score = 0.96875;
  record.seed = 7;
  record.hyperparameters["seed"] = std::int64_t{7};
  record.environment["seed"] = "7";
  return record;
}

inline LineageParts lineage_parts() {
  LineageParts parts;
  parts.versions = {there(2, run_id('3')), there(1, run_id('1')), there(0, std::nullopt)};
  for (const RunRecord& record : {full_record(), evaluation_record(), training_record()})
    parts.runs.push_back({record.run, LineageRun::State::over, record, "", sha256("results of " + record.run.text())});
  parts.snapshots = {tree_of("/data/test").digest};
  parts.datasets.emplace("weather@2", tree_of("weather").digest);
  return parts;
}

inline Lineage lineage() { return Lineage(lineage_parts()); }

// The same with a run deleted, a version taken away, and one that nothing is left of.
inline Lineage lineage_with_gaps() {
  LineageParts parts = lineage_parts();
  parts.versions[0].record->content.run = run_id('4');
  parts.runs[0] = {run_id('4'), LineageRun::State::deleted, std::nullopt, ""};
  parts.versions[1].state = LineageVersion::State::removed;
  parts.versions[2] = {
      parts.versions[2].package, {1, 0}, LineageVersion::State::unreadable, std::nullopt, recorded(0), "it is torn"};
  parts.runs[1].record.reset();
  parts.runs[1].state = LineageRun::State::unreadable;
  parts.runs[1].why = "the results are no JSON";
  return Lineage(std::move(parts));
}

}  // namespace trainyard::example
