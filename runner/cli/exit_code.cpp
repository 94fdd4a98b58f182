// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/exit_code.hpp"

namespace trainyard {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Errc::not_found:
    case Errc::exists:
    case Errc::invalid:
    case Errc::incompatible: return ExitCode::usage;
    case Errc::corrupt:
    case Errc::io:
    case Errc::unavailable: return ExitCode::store;
    case Errc::timed_out: return ExitCode::auto_stopped;
    case Errc::cancelled: return ExitCode::cancelled;
    case Errc::package_failed: return ExitCode::run_failed;
  }
  return ExitCode::store;
}

ExitCode exit_code_of(const Outcome& outcome) {
  switch (outcome.reason) {
    case RunReason::ok: return ExitCode::ok;
    case RunReason::stopped: return ExitCode::cancelled;
    case RunReason::max_runtime: return ExitCode::auto_stopped;
    case RunReason::disk_full:
    case RunReason::store_error: return ExitCode::store;
    default: return ExitCode::run_failed;
  }
}

}  // namespace trainyard
