// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "storage/files/files.hpp"

namespace trainyard {

// How the names of all groups begin that Trainyard makes for jobs. No other group is ever ended.
inline constexpr std::string_view kCgroupPrefix = "trainyard-";

// The processes in the groups and in those below them, each once.
std::vector<std::int64_t> processes_in(const std::vector<Path>& groups);

// Kills all that is in the groups and in those below them, also what forks faster than it is killed. Returns when
// nothing is left, or after ten seconds. The groups are good for nothing else afterwards.
void end_processes_in(const std::vector<Path>& groups);

// Ends and removes the groups: for whoever looks after a supervisor that is dead. Those that are not there are fine;
// what is not named like the group of a job is `invalid`, and untouched.
Result<void> remove_cgroups(const std::vector<Path>& groups);

// The same for those that stand in the file `list`, a line each. No such file is fine.
Result<void> remove_listed_cgroups(const Path& list);

}  // namespace trainyard
