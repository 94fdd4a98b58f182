// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runner/core/job_spec.hpp"
#include "runner/core/ranks.hpp"
#include "runner/processes/process.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// A process that is there as long as the supervisors of some workers are.
struct StartedRanks {
  Process process;
  std::vector<int> ranks;
  std::string step = {};  // Slurm's "17.0", where the process is an srun
};

// To the supervisors: SIGTERM or SIGUSR1. An srun would not hand on the first but kill its tasks, so Slurm itself is asked;
// `unavailable` when it does not answer.
Result<void> signal_ranks(StartedRanks& started, int number);

// Where the workers of a job run, and how their supervisors begin.
class RankStart {
 public:
  RankStart() = default;
  RankStart(const RankStart&) = delete;
  RankStart& operator=(const RankStart&) = delete;
  virtual ~RankStart() = default;

  // By rank; the first one is that of this process.
  virtual Result<std::vector<std::string>> hosts(int workers) = 0;
  // Each supervisor is told of the meeting by its environment, and gets `secrets` as its standard input, if that is not -1.
  virtual Result<std::vector<StartedRanks>> start(const Path& run_folder, const WorkerMeeting& meeting,
                                                  int secrets) = 0;
};

// All workers on this machine, as children of this process.
std::unique_ptr<RankStart> ranks_on_this_machine();
// Inside of an allocation of Slurm: rank 0 as a child of this process, the others by one srun on the other nodes.
std::unique_ptr<RankStart> ranks_of_slurm();

// What the process that started this one has told of the meeting. REQUIRES: this process was started by a RankStart.
Result<WorkerMeeting> meeting_of(const JobSpec& job);

// A port of this machine on which nobody listens now.
Result<int> free_port();

}  // namespace trainyard
