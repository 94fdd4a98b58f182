// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runner/core/data_source.hpp"
#include "runner/core/machine.hpp"
#include "runner/core/run_request.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/salted_digest.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// Where a run finds its folders, relative to the working directory of its code. What its type has no use for is where it
// would be by default.
struct RunLayout {
  RelPath data;  // where the dataset is; in a full run the other two are in it
  RelPath training_data;
  RelPath test_data;
  RelPath artifacts;
  friend bool operator==(const RunLayout&, const RunLayout&) = default;
};

// A run decided: everything that will happen, nothing that has. Every refusal of a request happens while this is made.
// Rests on disk as plan.json of the run's folder.
struct RunPlan {
  RunId run;
  RunName name;
  Instant created_at;
  RunRequest request;
  DataSource data;
  std::optional<DataSource> evaluation_data;  // where the request has an evaluation dataset
  VersionRecord parent;
  std::optional<RelPath> library;  // of a native package; in the package folder
  RunLayout layout;
  bool save_training_data = false;
  bool save_test_data = false;
  std::map<std::string, std::string> environment;  // as the results record it: what was given, and the defaults
  std::vector<Parameter>
      parameters;  // the declared hyperparameters that have a value, typed, in the order of the manifest
  std::vector<Manifest::MetricPattern> metrics;  // to be read from what the code prints
  int gpus = 0;                                  // how many each of its workers needs for itself
  std::map<std::string, SaltedDigest> secrets;   // of the variables whose values are recorded nowhere

  friend bool operator==(const RunPlan&, const RunPlan&) = default;
};

// Where the data of a request is.
struct RunData {
  DataSource data;
  std::optional<DataSource> evaluation;
};

// Pure. `invalid` names the parameter, the value and the rule; `incompatible` names the missing verb or power, of GPUs
// also where they were looked for. The digests of the secrets are not this function's to make.
Result<RunPlan> plan_run(const RunRequest& request, const RunData& data, const VersionRecord& parent,
                         const Manifest& manifest, const Machine& machine, const RunId& run, Instant now);

Json to_json(const RunPlan& plan);
Result<RunPlan> run_plan_from(const Json& json);

// Whether the run makes a version, and whether it gives a score.
bool trains(RunType type);
bool evaluates(RunType type);

// What becomes the new version: the package folder less the data, the artifacts and what interpreters leave behind.
bool is_package_content(const RunLayout& layout, const RelPath& path);

}  // namespace trainyard
