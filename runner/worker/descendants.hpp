// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <vector>

#include "storage/values/result.hpp"

namespace trainyard {

// From now on every process that loses its parent, and descends from this one, becomes a child of this one: nothing
// that a package starts can slip away, whatever session or group it goes to.
Result<void> adopt_orphans();

// Every descendant of this process, those above first; also those that have ended and nobody waited for. One that comes
// or goes meanwhile may be missing. Needs a Linux built with CONFIG_PROC_CHILDREN, as distributions are.
std::vector<pid_t> descendants();

// Kills every descendant and returns when none is left, also of a package that forks faster than it can be killed: all
// are stopped before the first is killed. REQUIRES: adopt_orphans, SIGCHLD blocked, one thread only. Without
// CONFIG_PROC_CHILDREN, descendants are waited for but not killed.
void kill_descendants();

}  // namespace trainyard
