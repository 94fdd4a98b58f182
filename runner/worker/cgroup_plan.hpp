// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runner/core/job_limits.hpp"

// Pure: where the control groups of a job can be, and what is written into their files.
namespace trainyard {

enum class CgroupVersion { v1, v2 };

// A folder below which a group for a job may be made.
struct CgroupParent {
  std::string folder;
  std::vector<std::string> controllers;  // of v1: those of its mount; of v2: those that are asked for
  // Of v2: folders, from above, that have to hand the controllers down; those that are not there are made.
  std::vector<std::string> handing_down;
  // Of v2, where groups with processes hand nothing down: the group to which this process goes first. It may, where it
  // is alone in its own.
  std::string own_leaf;
  friend bool operator==(const CgroupParent&, const CgroupParent&) = default;
};

struct CgroupPlan {
  CgroupVersion version = CgroupVersion::v2;
  // Of v1: all of them are used, each for its controllers. Of v2: to be tried in this order, and one of them is used.
  std::vector<CgroupParent> parents;
  std::string why_not;  // part of a sentence, where there are no parents
};

// Out of the texts of /proc/self/cgroup and /proc/self/mountinfo. A machine that has memory, pids or cpu as controllers
// of v1 is one of v1, even where v2 is mounted beside it.
CgroupPlan plan_cgroups(std::string_view self, std::string_view mounts);

enum class Needed { no, yes };

struct CgroupSetting {
  std::string controller;
  std::string file;
  std::string text;
  Needed needed = Needed::yes;  // no: the limit is kept without it where the kernel has no such file
  friend bool operator==(const CgroupSetting&, const CgroupSetting&) = default;
};

// In the order in which they are to be written.
std::vector<CgroupSetting> settings_for(CgroupVersion version, const JobLimits& limits);

}  // namespace trainyard
