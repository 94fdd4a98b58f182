// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"

namespace trainyard {

// The inner half of the worker: loads the package of job.json and makes its calls, in order, in this process; of a Python
// package it becomes the interpreter that does so, with plugin-api/python/trainyard_worker.py.
// Everything it has to tell goes to `events`, a file or a fifo that is there; the last event is `ended`, unless the package's code ends the
// process.
//
// Never returns. The process ends with 0 when `ended` is written, whatever it says, and with 70 when the worker could
// not get that far. `supervisor`: see become_inner.
[[noreturn]] void run_plugin(const Path& job, const Path& events, pid_t supervisor);

}  // namespace trainyard
