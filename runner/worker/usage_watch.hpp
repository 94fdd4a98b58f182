// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "runner/core/job_limits.hpp"
#include "runner/processes/poll_until.hpp"
#include "runner/worker/disk_walk.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// The limits that something else keeps, and that are not looked at.
struct KeptElsewhere {
  bool memory = false;
  bool processes = false;
  bool open_files = false;
};

// Looks from time to time whether a job uses more than it may. All of it together costs about four hundredths of a
// core: two for the processes, two for the folders. Not thread-safe.
class UsageWatch {
 public:
  // The folders belong to the job alone, may lie in each other, and need not be there yet.
  UsageWatch(const JobLimits& limits, std::vector<Path> folders, KeptElsewhere kept = {});

  // The first limit that the job is above. Takes about 20 ms at most for the folders: the rest of a long walk is done by
  // the next looks.
  std::optional<LimitHit> look(const std::vector<pid_t>& job_processes, std::int64_t written_log_bytes);
  [[nodiscard]] SteadyTime next_look() const { return next_look_; }

 private:
  // What was free on a folder's file system.
  struct FreeSpace {
    dev_t device = 0;
    std::int64_t bytes = 0;
  };

  std::optional<LimitHit> look_at_processes(const std::vector<pid_t>& processes);
  std::optional<LimitHit> look_at_memory(const std::vector<pid_t>& processes);
  std::optional<LimitHit> look_at_disk();
  std::optional<LimitHit> look_at_free_space();
  [[nodiscard]] bool walk_is_due() const;

  JobLimits limits_;
  std::vector<Path> folders_;
  KeptElsewhere kept_;

  SteadyTime next_look_;
  SteadyTime next_process_look_;
  SteadyTime next_memory_look_;

  std::vector<FreeSpace> free_;  // of each file system, now
  std::optional<DiskWalk> walk_;
  std::vector<FreeSpace> free_at_walk_;  // when the last walk began
  SteadyTime next_walk_;
  SteadyTime earliest_walk_;                      // where there is cause
  std::chrono::steady_clock::duration walked_{};  // the time that this walk has taken so far
  std::int64_t disk_bytes_ = 0;                   // by the last walk
};

}  // namespace trainyard
