// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/values/result.hpp"

// The system calls that a job has no business with: those that change the machine, make namespaces, look into other
// processes, mark files as setuid, or are known as ways around a sandbox. They fail with EPERM (clone3 and openat2 with
// ENOSYS, so that libraries fall back to calls whose arguments can be looked at). In the spirit of the default profiles of
// container engines and of systemd's SystemCallFilter= and RestrictSUIDSGID=.
namespace trainyard {

bool has_system_call_filters();

enum class InternetSockets { allowed, refused };

// Holds for the calling thread and all that it starts, for ever. REQUIRES: one thread, PR_SET_NO_NEW_PRIVS.
Result<void> filter_system_calls(InternetSockets sockets);

}  // namespace trainyard
