// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/job_limits.hpp"
#include "runner/worker/cgroup_plan.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// What tells where this process's control groups are.
struct CgroupFiles {
  Path self = "/proc/self/cgroup";
  Path mounts = "/proc/self/mountinfo";
};

// Which limits control groups keep. Tried, not guessed.
struct CgroupFacts {
  bool memory = false;
  bool processes = false;
  bool cpu = false;
  std::string why_not;  // part of a sentence; empty when all three are kept
};

// Makes a group, moves a process into it and removes it again.
CgroupFacts probe_cgroups(const CgroupFiles& files = {});

// The control groups of one job: one of v2, or one of v1 for each of memory, pids, cpu and freezer. They are there
// until `remove`; what else is left of them, `remove_cgroups` ends.
class JobCgroup {
 public:
  struct Usage {
    std::optional<std::int64_t> peak_bytes;  // with the cached pages of files; none where the kernel does not count
    std::int64_t oom_kills = 0;              // processes that were killed because they wanted more memory
    std::int64_t refused_processes = 0;      // at the limit
  };

  // `name` is part of a file's name and unique on this machine: a group that has it is ended first. `unavailable` where
  // no group can be made at all; which limits are kept, `facts` tells: a limit that is not given counts as kept where it
  // could be.
  static Result<JobCgroup> make(const std::string& name, const JobLimits& limits, const CgroupFiles& files = {});

  [[nodiscard]] const CgroupFacts& facts() const { return facts_; }
  // The calling process, a forked child, moves itself. Through descriptors that are open since `make`, so it may see
  // other files by then.
  [[nodiscard]] Result<void> join() const;
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] std::vector<std::int64_t> pids() const;
  // As `end_processes_in`.
  void kill_all() const;
  // Kills what is in it first.
  Result<void> remove();
  // For `remove_cgroups`.
  [[nodiscard]] std::vector<Path> folders() const;

 private:
  struct Group {
    Path folder;
    std::vector<std::string> controllers;
    UniqueFd entrance;
  };

  static Result<Group> make_group(const CgroupParent& parent, const std::string& name);
  Result<void> make_v1(const CgroupPlan& plan, const std::string& name);
  Result<void> make_v2(const CgroupPlan& plan, const std::string& name);
  void bound(CgroupVersion version, const JobLimits& limits);
  [[nodiscard]] const Group* group_with(const std::string& controller) const;
  [[nodiscard]] std::optional<std::int64_t> figure(const std::string& controller, const char* file,
                                                   std::string_view key) const;

  std::vector<Group> groups_;
  CgroupFacts facts_;
};

}  // namespace trainyard
