// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/unique_fd.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// Blocks the signals that concern a supervisor (SIGCHLD, SIGTERM, SIGINT, SIGUSR1) and yields a descriptor to read them
// from, so that nothing runs in a handler. SIGHUP is blocked and never read: a job does not end with a terminal.
Result<UniqueFd> open_stop_signals();

}  // namespace trainyard
