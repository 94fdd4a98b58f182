// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "runner/core/isolation.hpp"
#include "runner/core/job_spec.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/processes/process.hpp"
#include "runner/worker/job_cgroup.hpp"

namespace trainyard {

// How the process of a job begins: the inner half of the worker (inner_process.hpp), inside the layers of `isolation`.
struct JobStart {
  const JobSpec& job;
  const JobFolder& folder;  // whose channel is there
  Isolation isolation;
  const std::map<std::string, std::string>& environment;  // the whole of it
  int out = -1;
  int err = -1;
  const JobCgroup* cgroup = nullptr;  // with the layer cgroup
};

// Why a job did not start. With a layer: this machine cannot make that layer, and nothing was changed.
struct StartFailure {
  std::optional<Layer> layer;
  Error error;
};

// The process of a job. With the layer pid it is not our child but that of a small init, which is the first process of
// its namespace: when the init ends, the kernel has ended everything else in there.
class JobProcess {
 public:
  // Forks: REQUIRES one thread, SIGCHLD and SIGTERM blocked.
  static std::variant<JobProcess, StartFailure> start(const JobStart& start);

  // Our child: the process itself, or its init. Nobody else may wait for it.
  [[nodiscard]] pid_t pid() const { return child_.pid(); }

  // To the job's process, and to its process group.
  void ask_to_stop();
  void kill();
  // REQUIRES: our child has ended. How the job's process did.
  Result<ExitStatus> status();

 private:
  JobProcess(Process child, bool init, UniqueFd report)
      : child_(std::move(child)), init_(init), report_(std::move(report)) {}

  Process child_;
  bool init_;
  UniqueFd report_;  // where the init writes how the job's process ended
};

struct StartedJob {
  JobProcess process;
  Isolation isolation;  // what stands around it
};

// Starts a job in the layers of `wish` that this machine has: those of `facts`, less what turns out to be missing only when
// it is tried, which is added to `facts`. `start.isolation` is not looked at. `incompatible` when the wish is strict and a layer is missing.
Result<StartedJob> start_in_layers(JobStart start, const IsolationWish& wish, IsolationFacts& facts);

// Whether this process may make namespaces without a user namespace around them.
bool is_privileged();

}  // namespace trainyard
