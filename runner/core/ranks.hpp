// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/core/job_exit.hpp"
#include "runner/core/placement.hpp"

namespace trainyard {

// A run on several nodes has one worker on each, which are numbered from 0 on: their ranks. Pure: what each is told of the
// others, and what their ends make together.

// Names for the workers that run on one machine. Each is another address of that machine's own, so that it is the name of
// one worker and leads to it as well.
std::vector<std::string> local_hosts(int workers);

// What the workers of a run know of each other.
struct WorkerMeeting {
  std::vector<std::string> hosts;  // by rank
  int port = 0;                    // on the host of rank 0: free when the workers began
  std::string directory;           // of the run, which all of them can write
  DataSharding sharding = DataSharding::replicated;
};

// The variables that tell a worker of the others: under our names, and under those by which ModelArts, SageMaker and torch
// tell the same. REQUIRES: `rank` is one of the hosts'.
std::map<std::string, std::string> rank_environment(int rank, const WorkerMeeting& meeting);

// Their names, which nobody else may give.
inline constexpr std::array<std::string_view, 16> kRankVariables = {"TRAINYARD_RANK",
                                                                    "TRAINYARD_WORLD_SIZE",
                                                                    "TRAINYARD_HOSTS",
                                                                    "TRAINYARD_RENDEZVOUS",
                                                                    "TRAINYARD_RENDEZVOUS_DIRECTORY",
                                                                    "MASTER_ADDR",
                                                                    "MASTER_PORT",
                                                                    "RANK",
                                                                    "WORLD_SIZE",
                                                                    "LOCAL_RANK",
                                                                    "MA_NUM_HOSTS",
                                                                    "VC_TASK_INDEX",
                                                                    "VC_WORKER_HOSTS",
                                                                    "SM_HOSTS",
                                                                    "SM_CURRENT_HOST",
                                                                    "TRAINYARD_DATA_SHARDING"};

// How one worker ended.
struct RankEnd {
  JobRank rank;
  std::optional<JobExit> exit;  // none when its supervisor is gone and left no word
  bool ok = false;              // what judge() makes of it
  Instant seen_at;              // when it was noticed, or when there was the last sign of life
};

// The pulse of a worker whose processes cannot be seen: a text that changes every few seconds as long as they are there.
class Pulse {
 public:
  using Time = std::chrono::milliseconds;  // of a clock that is never set back

  explicit Pulse(Time now) : changed_at_(now), looked_at_(now) {}

  // Whether the worker may be alive, by what its text is now; none when it cannot be read. REQUIRES: looked at every second
  // or so.
  bool is_felt(const std::string& text, Time now);
  // When it last changed.
  [[nodiscard]] Time felt_at() const { return changed_at_; }

 private:
  std::string last_;
  Time changed_at_;
  Time looked_at_;
};

// The end of a job with several workers: that of rank 0 when all went well, else that of the worker for whose sake the
// others were stopped. Who crashed or was lost is rather the cause than who said a little before that it failed: a worker
// whose peer is gone notices at once. REQUIRES: at least one, by rank.
JobExit combined_exit(const std::vector<RankEnd>& ends);

}  // namespace trainyard
