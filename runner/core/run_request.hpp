// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "runner/core/isolation.hpp"
#include "runner/core/job_limits.hpp"
#include "runner/core/placement.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

// How a dataset is presented to a job. `best` leaves the choice to what the machine can do.
enum class MountKind { best, overlay, reflink, copy };
std::string_view name_of(MountKind kind);
Result<MountKind> parse_mount_kind(std::string_view text);

// Which calls of a package a run makes, in this order:
//
//   training    train(data), save()                                                     makes a version
//   evaluation  evaluate(data)                                                          gives a score
//   full        process_data(data), train(its training part), save(), evaluate(test)    makes a version with a score
enum class RunType { training, evaluation, full };
std::string_view name_of(RunType type);
Result<RunType> parse_run_type(std::string_view text);

// Where a Python package finds what its requirements.txt asks for: in the interpreter's own folders, or in a virtual
// environment that is made of it.
enum class Dependencies { system, venv };
std::string_view name_of(Dependencies dependencies);
Result<Dependencies> parse_dependencies(std::string_view text);

// What a user asks for, before anything is looked up. Schema: schemas/request.schema.json.
struct RunRequest {
  static constexpr std::int64_t kDefaultGrace = 120'000;
  static constexpr std::int64_t kLongestTime = std::int64_t{366} * 24 * 3600 * 1000;
  static constexpr int kMostGpus = 1024;
  static constexpr int kMostPriority = 100;  // and as much below zero
  static constexpr int kMostRetries = 128;

  RunType type = RunType::training;
  PackageReference package;
  std::string
      dataset;  // an absolute path of a folder or an archive, the address of a bucket, or the text of a DatasetReference
  std::optional<std::string> evaluation_dataset;  // of a full run: what it evaluates on, instead of a part of `dataset`
  std::optional<RunName> name;
  std::map<std::string, std::string> environment;  // variables and hyperparameters, as typed
  bool save_training_data = false;
  bool save_test_data = false;
  std::int64_t grace_ms = kDefaultGrace;  // between the polite and the hard end of a stopped run
  std::optional<std::int64_t> max_runtime_ms;
  MountKind mount = MountKind::best;
  std::optional<std::string> python;  // the interpreter of a Python package, as an absolute path; once resolved, set
  Dependencies dependencies = Dependencies::system;
  std::optional<RunName> experiment;        // groups runs
  std::map<std::string, std::string> tags;  // for people and filters: check_tag
  std::optional<int> gpus = std::nullopt;   // for the run alone; none: as many as its package needs
  int priority = 0;                         // of the runs that wait, the one with the highest goes first
  int retries = 0;                          // further attempts after one that failed
  std::set<std::string> secrets = {};       // the names of variables whose values are recorded nowhere
  IsolationWish isolation = {};
  JobLimits limits = default_limits();
  // The version of the package whose run this one does again: what comes out is kept for comparison and is no version.
  std::optional<PackageVersion> reproduces = std::nullopt;
  // A remote of the store, by its name: where the artifacts go when the run is over, and its data where that is kept.
  std::optional<std::string> output_remote = std::nullopt;
  Placement placement = {};

  // What no training needs more of, so that a mistake in a package does not become the machine's.
  static JobLimits default_limits() {
    JobLimits limits;
    limits.processes = 4096;
    limits.log_bytes = std::int64_t{1} << 30;
    return limits;
  }

  // One with everything else as it is when nobody says otherwise.
  static RunRequest of(RunType type, PackageReference package, std::string dataset);
  friend bool operator==(const RunRequest&, const RunRequest&) = default;
};

inline constexpr std::size_t kMostTags = 50;
// A name [\w.-]{1,64} and a value of at most 256 bytes of UTF-8 without control characters.
Result<void> check_tag(const std::string& name, const std::string& value);

Json to_json(const RunRequest& request);
Result<RunRequest> run_request_from(const Json& json);

}  // namespace trainyard
