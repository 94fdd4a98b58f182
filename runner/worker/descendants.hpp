// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/values/result.hpp"

namespace trainyard {

// From now on every process that loses its parent, and descends from this one, becomes a child of this one: nothing
// that a package starts can slip away, whatever session or group it goes to.
Result<void> adopt_orphans();

// Kills every descendant and returns when none is left. REQUIRES: adopt_orphans, SIGCHLD blocked, one thread only.
// Needs a Linux built with CONFIG_PROC_CHILDREN, as distributions are; without it, descendants are waited for but not
// killed.
void kill_descendants();

}  // namespace trainyard
