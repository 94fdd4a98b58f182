// SPDX-License-Identifier: Apache-2.0
#include "runner/core/outcome.hpp"

#include <csignal>

#include "storage/values/limits.hpp"
#include "storage/values/named_enum.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kStatuses[] = {"Scheduled",  "Queued", "Packaging", "Running",
                                          "Successful", "Failed", "Killed"};
constexpr std::string_view kReasons[] = {"ok",
                                         "package_error",
                                         "invalid_input",
                                         "crashed",
                                         "out_of_memory",
                                         "disk_full",
                                         "too_many_processes",
                                         "too_many_open_files",
                                         "log_full",
                                         "stopped",
                                         "max_runtime",
                                         "lost",
                                         "store_error"};

std::string signal_text(int signal) {
  switch (signal) {
    case SIGSEGV: return "signal 11 (SIGSEGV: it touched memory that is not its own)";
    case SIGABRT: return "signal 6 (SIGABRT: it called abort, or an exception left a function that must not throw)";
    case SIGFPE: return "signal 8 (SIGFPE: a division by zero or another arithmetic fault)";
    case SIGILL: return "signal 4 (SIGILL: an instruction that this processor does not have)";
    case SIGBUS: return "signal 7 (SIGBUS: it read past the end of a mapped file, or the disk failed)";
    case SIGKILL: return "signal 9 (SIGKILL: the kernel ends a process so when memory runs out, or somebody sent it)";
    default: return "signal " + std::to_string(signal);
  }
}

Outcome package_outcome(const event::Ended& word) {
  const std::string why = word.message.empty()
                              ? "the package failed with the status '" + word.status + "' and gave no reason"
                              : word.message;
  // The C++ kit names the verb itself.
  const bool named = word.verb.empty() || why.starts_with(word.verb + ": ");
  const std::string message = named ? why : word.verb + ": " + why;
  if (word.status == "invalid_input") return outcome(RunReason::invalid_input, message);
  if (word.status == "out_of_memory") return outcome(RunReason::out_of_memory, message);
  if (word.status == "cancelled") {
    return outcome(RunReason::package_error,
                   message + "; the package gave up as if stopped, but nobody stopped the run");
  }
  return outcome(RunReason::package_error, message);
}

// Slurm's slurmstepd says why it ends a job: "*** JOB 17 ON n1 CANCELLED AT 2026-11-30T21:30:20 DUE TO TIME LIMIT ***"; for
// one that somebody cancelled it gives no reason.
Outcome ended_by_scheduler(const std::string& word) {
  const auto says = [&](const char* part) { return word.find(part) != std::string::npos; };
  const std::string message = "the cluster ended the job: " + word;
  if (says("DUE TO TIME LIMIT")) return outcome(RunReason::max_runtime, message);
  if (says("CANCELLED") && !says("DUE TO")) return outcome(RunReason::stopped, message);
  return outcome(RunReason::lost, message);
}

Outcome stopped(const JobExit& exit) {
  if (exit.stop == StopCause::scheduler) return ended_by_scheduler(exit.scheduler.value_or("it said nothing"));
  if (exit.stop == StopCause::asked) return outcome(RunReason::stopped, "stopped by a user");
  return outcome(RunReason::max_runtime, "stopped because the run reached its longest permitted time");
}

}  // namespace

std::string_view name_of(RunStatus status) { return kStatuses[static_cast<std::size_t>(status)]; }

std::string_view name_of(RunReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

Result<RunReason> parse_run_reason(std::string_view text) {
  if (const auto value = enum_named<RunReason>(kReasons, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not the reason of a run's end");
}

RunStatus Outcome::status() const {
  if (reason == RunReason::ok) return RunStatus::successful;
  return reason == RunReason::stopped || reason == RunReason::max_runtime ? RunStatus::killed : RunStatus::failed;
}

bool may_be_retried(const Outcome& outcome) {
  switch (outcome.reason) {
    case RunReason::package_error:
    case RunReason::crashed:
    case RunReason::out_of_memory:
    case RunReason::disk_full:
    case RunReason::lost: return true;
    case RunReason::ok:
    case RunReason::invalid_input:
    case RunReason::too_many_processes:  // the same code wants as many again
    case RunReason::too_many_open_files:
    case RunReason::log_full:
    case RunReason::stopped:
    case RunReason::max_runtime:
    case RunReason::store_error: break;
  }
  return false;
}

Outcome outcome(RunReason reason, std::string message) {
  const std::string clean = utf8_cleaned(message);
  return {reason, std::string(utf8_prefix(clean, limits::kReasonCharacters))};
}

Outcome outcome_of(const Error& error) {
  switch (error.code) {
    case Errc::invalid:
    case Errc::not_found:
    case Errc::incompatible: return outcome(RunReason::invalid_input, error.message);
    case Errc::package_failed: return outcome(RunReason::package_error, error.message);
    case Errc::unavailable: return outcome(RunReason::disk_full, error.message);
    case Errc::cancelled: return outcome(RunReason::stopped, error.message);
    default: return outcome(RunReason::store_error, error.message);
  }
}

namespace {

Outcome judge_alone(const JobExit& exit, const std::optional<event::Ended>& last_word) {
  if (exit.failure && !exit.disk_full && exit.stop == StopCause::asked)
    return outcome(RunReason::stopped, "stopped by a user: " + *exit.failure);
  if (exit.failure) {
    const RunReason reason = exit.lost        ? RunReason::lost
                             : exit.disk_full ? RunReason::disk_full
                                              : RunReason::store_error;
    return outcome(reason, *exit.failure);
  }
  if (exit.limit) return outcome_of(*exit.limit);
  const bool succeeded = exit.code == 0 && last_word && last_word->status == "ok";
  if (succeeded) return outcome(RunReason::ok, "");
  if (exit.stop != StopCause::none) return stopped(exit);
  if (exit.signal)
    return outcome(RunReason::crashed, "the package's process was ended by " + signal_text(*exit.signal));
  if (exit.code != 0) {
    return outcome(RunReason::package_error,
                   "the package ended its process with exit code " + std::to_string(*exit.code));
  }
  if (!last_word)
    return outcome(RunReason::package_error,
                   "the package ended its process with exit code 0 before its calls were done");
  return package_outcome(*last_word);
}

}  // namespace

Outcome judge(const JobExit& exit, const std::optional<event::Ended>& last_word) {
  Outcome verdict = judge_alone(exit, last_word);
  if (!exit.rank || verdict.status() != RunStatus::failed) return verdict;
  return outcome(verdict.reason,
                 "rank " + std::to_string(exit.rank->number) + " on host " + exit.rank->host + ": " + verdict.message);
}

}  // namespace trainyard
