// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runner/core/isolation.hpp"
#include "runner/core/job_limits.hpp"
#include "runner/core/run_plan.hpp"

namespace trainyard {

// An overlay that the worker mounts in a mount namespace of its own, so that it ends with the job.
struct OverlayMount {
  std::string lower;  // the user's folder; only read
  std::string upper;  // the run's private layer
  std::string work;
  std::string target;  // exists
  friend bool operator==(const OverlayMount&, const OverlayMount&) = default;
};

// What runs the code of a Python package.
struct PythonProgram {
  std::string interpreter;
  std::string worker;  // our own file that it is given: trainyard_worker.py
  friend bool operator==(const PythonProgram&, const PythonProgram&) = default;
};

// What a job may reach, besides the system's own programs and libraries.
struct Sandbox {
  IsolationWish wish = {IsolationMode::none, NetworkAccess::host, {}};
  std::vector<std::string> writable;  // folders
  std::vector<std::string> readable;  // folders and files
  std::vector<std::string> devices;   // of its GPUs
  std::string temporary;  // one of the writable folders, which is /tmp too where the job has a file system of its own
  friend bool operator==(const Sandbox&, const Sandbox&) = default;
};

// Everything a worker needs, with absolute paths: the file job.json. Schema: schemas/job.schema.json.
// The worker writes stdout.log, stderr.log, log_index.jsonl, events.jsonl and exit.json beside it.
struct JobSpec {
  struct Call {
    Verb verb = Verb::train;
    std::optional<std::string> directory;  // the argument of the verb, if it has one
    // The argument instead when `directory` has nothing in it by then.
    std::optional<std::string> directory_if_empty = std::nullopt;
    friend bool operator==(const Call&, const Call&) = default;
  };

  RunId run;
  std::string package;                  // "digits@1.0", for messages
  std::optional<std::string> library;   // of a native package
  std::optional<PythonProgram> python;  // of a Python package
  std::string working_directory;        // the private copy of the package folder
  std::vector<Call> calls;
  std::map<std::string, std::string> environment;  // the whole environment of the package's code
  std::map<std::string, std::string> directories;  // by the names of trainyard_host.directory
  std::vector<Parameter> parameters;
  std::vector<OverlayMount> overlays;  // mounted in this order; a later one may lie in an earlier one
  std::vector<std::string> folders;    // made once everything is mounted, where they are not there yet
  // The names of variables whose values are not here: the worker reads them from its standard input, as secrets_json.
  std::set<std::string> secrets;
  std::int64_t grace_ms = RunRequest::kDefaultGrace;
  std::optional<std::int64_t> max_runtime_ms;
  JobLimits limits = {};
  Sandbox sandbox = {};
  Placement placement = {};  // resolved
  int gpus = 0;              // of each of its workers

  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

// Where a run's code lives while it runs.
struct Workspace {
  std::string package_directory;
  std::string home_directory;        // for what programs leave in a home folder
  std::string checkpoint_directory;  // what one attempt leaves there, the next one finds
  std::vector<Gpu> gpus;             // that are the run's alone
  std::optional<PythonProgram> python;
  std::vector<OverlayMount> overlays;
  std::string temporary_directory = {};
  std::vector<std::string> readable =
      {};  // what the code needs and is not the system's: an interpreter of the user's own
  int rank = 0;                           // of the worker
  std::string rendezvous_directory = {};  // where the workers of a run that has several meet
};

// Pure. `max_runtime_ms` is what is left of it for this attempt. Of several workers all train, and rank 0 alone saves and
// evaluates.
JobSpec job_for(const RunPlan& plan, const Workspace& workspace, std::optional<std::int64_t> max_runtime_ms);

Json to_json(const JobSpec& job);
Result<JobSpec> job_spec_from(const Json& json);

}  // namespace trainyard
