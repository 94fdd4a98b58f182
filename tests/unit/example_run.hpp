// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/run_plan.hpp"
#include "storage/values/json.hpp"
#include "storage/values/sha256.hpp"

// One package, one version of it and one request to train it, for tests that change a thing about them.
namespace trainyard::example {

inline const RunId kRun = RunId::parse("019b76da-a800-7c3f-9a51-6d0e8f1b2c4d").value();
inline const Instant kNow{1'767'225'600'000'000};

inline Manifest manifest() {
  const Json json = {
      {"schema", "trainyard.package/1"},
      {"name", "digits"},
      {"library", "lib/libdigits.so"},
      {"custom_hyperparameters", false},
      {"environment", {{"OMP_NUM_THREADS", "2"}}},
      {"hyperparameters",
       {{{"name", "epochs"}, {"type", "Integer"}, {"default", 30}, {"range", {1, 1000}}},
        {{"name", "optimizer"}, {"type", "String"}, {"default", "momentum"}, {"enum", {"sgd", "momentum"}}},
        {{"name", "augment"}, {"type", "Boolean"}, {"default", true}},
        {{"name", "seed"}, {"type", "Integer"}, {"default", 1}, {"editable", false}},
        {{"name", "note"}, {"type", "String"}}}}};
  return Manifest::parse(json.dump()).value();
}

inline VersionRecord parent() {
  VersionDraft draft{PackageName::parse("digits").value(),
                     kNow,
                     std::nullopt,
                     std::nullopt,
                     {sha256("tree"), 3, 12},
                     {sha256("zip"), 9},
                     {Runtime::native, 1, 0, "g++", {Verb::train, Verb::save}},
                     ""};
  return {{1, 0}, draft};
}

inline RunRequest request() {
  return RunRequest::of(RunType::training, PackageReference::parse("digits@1.0").value(), "/data/digits");
}

// Without a GPU.
inline Machine machine() { return {2, {}, "looked everywhere"}; }

inline DataSource folder(const char* path) { return {DataSource::Kind::folder, path, std::nullopt, std::nullopt}; }

inline RunData data() { return {folder("/data/digits"), std::nullopt}; }

// Of a package that can do everything.
inline VersionRecord able_parent() {
  VersionRecord record = parent();
  record.content.abi.verbs = {Verb::process_data, Verb::train, Verb::save, Verb::evaluate};
  return record;
}

inline Result<RunPlan> plan_of(const RunRequest& request) {
  return plan_run(request, data(), parent(), manifest(), machine(), kRun, kNow);
}

inline RunPlan plan() { return plan_of(request()).value(); }

inline RunPlan plan(RunType type) {
  RunRequest wanted = request();
  wanted.type = type;
  return plan_run(wanted, data(), able_parent(), manifest(), machine(), kRun, kNow).value();
}

}  // namespace trainyard::example
