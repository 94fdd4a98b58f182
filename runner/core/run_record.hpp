// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/data_source.hpp"
#include "runner/core/outcome.hpp"
#include "runner/core/run_request.hpp"
#include "storage/values/parameter.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// A version as the results of a run name it.
struct RecordedVersion {
  PackageName package;
  PackageVersion version;
  TreeSummary tree;
  ZipSummary zip;

  [[nodiscard]] std::string text() const { return package.text() + "@" + version.text(); }
  friend bool operator==(const RecordedVersion&, const RecordedVersion&) = default;
};

// One dataset of a run.
struct RecordedInput {
  std::string input;   // "train_data" or "evaluation_data"
  std::string source;  // as it was given: an absolute path, the text of a DatasetReference, or the address of a bucket
  DataSource::Kind kind = DataSource::Kind::folder;
  std::optional<DatasetReference> dataset;  // of a dataset, and then with its number
  std::optional<TreeSummary> tree;          // none when the run ended before it was read
  std::optional<Digest> snapshot;
  std::optional<BucketState> bucket = {};  // of a bucket

  friend bool operator==(const RecordedInput&, const RecordedInput&) = default;
};

// What ran a Python package.
struct RecordedPython {
  std::string interpreter;
  Dependencies dependencies = Dependencies::system;
  std::optional<std::string> version;

  friend bool operator==(const RecordedPython&, const RecordedPython&) = default;
};

// Of a run that does another one again: the version of the package that it reproduces, and what it has made in its place.
struct RecordedReproduction {
  PackageVersion version;
  std::optional<TreeSummary> tree;  // none when the run failed

  friend bool operator==(const RecordedReproduction&, const RecordedReproduction&) = default;
};

// A run that is over, as its _results.json tells of it: what every later question about the run is answered from.
// Written by results_json (runner/core/run_results.hpp). Schema: schemas/results.schema.json.
struct RunRecord {
  RunId run;
  RunName name;
  RunType type = RunType::training;
  Outcome outcome;
  Instant started_at;
  Instant ended_at;
  std::map<std::string, std::string> environment;
  std::vector<RecordedInput> inputs;
  RecordedVersion parent;
  std::optional<RecordedVersion> version;
  std::optional<TreeSummary> artifacts;
  std::optional<std::string> artifacts_folder;
  std::optional<bool> trained_on_dataset;
  Runtime runtime = Runtime::native;
  std::uint32_t abi_major = 1;
  std::uint32_t abi_minor = 0;
  std::string builder;
  std::optional<RecordedPython> python;
  std::optional<RunName> experiment;
  std::map<std::string, std::string> tags;
  std::string runner;
  std::string host;
  std::optional<std::int64_t> seed;
  std::map<std::string, ParameterValue> hyperparameters;
  std::vector<std::string> secrets;  // their names
  bool gpu = false;
  Json metrics;  // {name: {"count", "last", "last_step", "min", "max"}}
  std::optional<double> score;
  Json document;  // all of it
  std::optional<RecordedReproduction> reproduces = std::nullopt;
};

// Strict: `invalid` names what is wrong. A document that contradicts itself, as when its two halves name two versions or
// when a run that failed has made one, is refused as well, so that nobody is shown one half of it.
Result<RunRecord> run_record_from(const Json& results);

}  // namespace trainyard
