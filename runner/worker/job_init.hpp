// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace trainyard {

// The first process of a process namespace: passes SIGTERM on to the job's process and its group, waits for whatever has
// lost its parent, and ends when the job's process does, after it has written the raw status of it (wait(2)) to `report`.
// Its end ends everything in the namespace, and can be caused from outside by SIGKILL.
// REQUIRES: SIGCHLD and SIGTERM blocked; one thread.
[[noreturn]] void be_init(pid_t job, int report);

}  // namespace trainyard
