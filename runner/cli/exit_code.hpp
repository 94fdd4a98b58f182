// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/outcome.hpp"

namespace trainyard {

// What the program tells its caller. Documented in the README; scripts depend on it.
enum class ExitCode {
  ok = 0,
  run_failed = 1,    // the package or the run failed
  no = 1,            // the answer to a question: two trees differ, a snapshot is not complete
  usage = 2,         // the command line or an input is wrong
  store = 3,         // the store cannot be read or written, or is corrupt
  auto_stopped = 4,  // the run reached its longest permitted time
  cancelled = 130,   // stopped by a user
};

ExitCode exit_code_of(const Error& error);
ExitCode exit_code_of(const Outcome& outcome);

}  // namespace trainyard
