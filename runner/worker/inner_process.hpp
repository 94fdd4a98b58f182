// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "storage/values/result.hpp"

namespace trainyard {

// Makes this process one in which a package's code may run: it dies with its supervisor, gains no privileges by
// executing a program, leaves no core file, and takes SIGTERM as the wish that it stops. `supervisor` is the process
// that must be the parent; 0 for none, when a person started this process. REQUIRES: the first thread, before any
// foreign code.
Result<void> become_inner(pid_t supervisor);

// True once the wish has come. Async-signal-safe, any thread, cheap.
bool stop_asked();

// Ends the process with `code`, without the exit handlers and destructors of foreign code, but with the C and C++
// output streams flushed, as far as that is possible within a few seconds.
[[noreturn]] void end_inner(int code);

}  // namespace trainyard
