// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runner/core/job_exit.hpp"
#include "runner/core/worker_event.hpp"

namespace trainyard {

// What users see of a run.
enum class RunStatus { scheduled, queued, packaging, running, successful, failed, killed };
std::string_view name_of(RunStatus status);

// Why a run is over.
enum class RunReason {
  ok,
  package_error,
  invalid_input,
  crashed,
  out_of_memory,
  disk_full,
  too_many_processes,
  too_many_open_files,
  log_full,
  stopped,      // by a user; status Killed
  max_runtime,  // auto stop; status Killed
  lost,         // the machine or the supervisor is gone
  store_error,  // the store could not be written or read
};
std::string_view name_of(RunReason reason);
Result<RunReason> parse_run_reason(std::string_view text);

// How a run ended, in one value. `message` is empty only for `ok`, and at most limits::kReasonCharacters long.
struct Outcome {
  RunReason reason = RunReason::ok;
  std::string message;

  [[nodiscard]] RunStatus status() const;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Whether another attempt of the same run may end better: not after a user's mistake or wish.
bool may_be_retried(const Outcome& outcome);

Outcome outcome(RunReason reason, std::string message);
// What an error of Trainyard's own work means for the run.
Outcome outcome_of(const Error& error);

// Pure: what the supervisor saw and the package's own last word make the verdict. Exit code 0 alone is never success,
// and a process that died has failed, whatever it said before.
//
//   stop cause     exit             last word      verdict
//   any            a limit hit      any            as that limit has it
//   asked          any              any but ok     stopped; also with a failure but that of a full disk
//   scheduler      any              any but ok     stopped, max_runtime or lost, as the scheduler said
//   max_runtime    any              any but ok     max_runtime
//   any            0                ok             ok
//   none           0                not ok         as the package said
//   none           0                none           package_error: it ended the process
//   none           not 0            any            package_error
//   none           signal           any            crashed
//   any            failure          any            store_error, disk_full or lost
//
// Of a run with several workers both are those of one of them, which the message of a failure names.
Outcome judge(const JobExit& exit, const std::optional<event::Ended>& last_word);

}  // namespace trainyard
