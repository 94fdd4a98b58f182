// SPDX-License-Identifier: Apache-2.0
#include "runner/core/outcome.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard::outcome_test {
namespace {

enum class End { zero, three, segfault, kill, failure, no_room };

JobExit exit_of(StopCause stop, End end) {
  JobExit exit;
  exit.stop = stop;
  switch (end) {
    case End::zero: exit.code = 0; break;
    case End::three: exit.code = 3; break;
    case End::segfault: exit.signal = SIGSEGV; break;
    case End::kill: exit.signal = SIGKILL; break;
    case End::failure: exit.failure = "the data is not mounted"; break;
    case End::no_room:
      exit.failure = "the logs are incomplete";
      exit.disk_full = true;
      break;
  }
  return exit;
}

// The status of the last word; none when the package said nothing.
const std::optional<std::string> kWords[] = {std::nullopt, "ok",  "cancelled",     "invalid_input",
                                             "failed",     "bug", "out_of_memory", "a status of tomorrow"};

std::optional<event::Ended> word_of(const std::optional<std::string>& status) {
  if (!status) return std::nullopt;
  return event::Ended{*status, *status == "ok" ? "" : "train", *status == "ok" ? "" : "the reason"};
}

// The table, written a second time as plainly as it can be said.
RunReason expected(StopCause stop, End end, const std::optional<std::string>& word) {
  if (end == End::failure) return stop == StopCause::asked ? RunReason::stopped : RunReason::store_error;
  if (end == End::no_room) return RunReason::disk_full;
  if (end == End::zero && word == "ok") return RunReason::ok;
  if (stop == StopCause::asked) return RunReason::stopped;
  if (stop == StopCause::max_runtime) return RunReason::max_runtime;
  if (end == End::segfault || end == End::kill) return RunReason::crashed;
  if (end == End::three) return RunReason::package_error;
  if (word == "invalid_input") return RunReason::invalid_input;
  if (word == "out_of_memory") return RunReason::out_of_memory;
  return RunReason::package_error;
}

}  // namespace

TEST_CASE("another attempt is made after bad luck, not after a mistake or a wish", "[outcome]") {
  const std::set<RunReason> retried = {RunReason::package_error, RunReason::crashed, RunReason::out_of_memory,
                                       RunReason::disk_full, RunReason::lost};
  for (int i = 0; i <= static_cast<int>(RunReason::store_error); ++i) {
    const auto reason = static_cast<RunReason>(i);
    CAPTURE(name_of(reason));
    CHECK(may_be_retried({reason, "x"}) == retried.contains(reason));
  }
}

TEST_CASE("every combination of stop, exit and last word has its verdict", "[outcome]") {
  int rows = 0;
  for (const StopCause stop : {StopCause::none, StopCause::asked, StopCause::max_runtime}) {
    for (const End end : {End::zero, End::three, End::segfault, End::kill, End::failure, End::no_room}) {
      for (const auto& word : kWords) {
        CAPTURE(name_of(stop), static_cast<int>(end), word.value_or("nothing said"));
        const Outcome verdict = judge(exit_of(stop, end), word_of(word));
        CHECK(name_of(verdict.reason) == name_of(expected(stop, end, word)));
        CHECK(verdict.message.empty() == (verdict.reason == RunReason::ok));
        ++rows;
      }
    }
  }
  CHECK(rows == 3 * 6 * 8);
}

TEST_CASE("a verdict says what was seen", "[outcome]") {
  const auto message = [](StopCause stop, End end, const std::optional<event::Ended>& word) {
    return judge(exit_of(stop, end), word).message;
  };
  CHECK(message(StopCause::none, End::three, std::nullopt) == "the package ended its process with exit code 3");
  CHECK(message(StopCause::none, End::three, event::Ended{"ok", "", ""}) ==
        "the package ended its process with exit code 3");
  CHECK(message(StopCause::none, End::zero, std::nullopt) ==
        "the package ended its process with exit code 0 before its calls were done");
  CHECK(message(StopCause::none, End::segfault, std::nullopt) ==
        "the package's process was ended by signal 11 (SIGSEGV: it touched memory that is not its own)");
  CHECK(message(StopCause::none, End::kill, event::Ended{"ok", "", ""})
            .find("the package's process was ended by signal 9 (SIGKILL: ") == 0);
  CHECK(message(StopCause::none, End::zero, event::Ended{"failed", "train", "no rows"}) == "train: no rows");
  CHECK(message(StopCause::none, End::zero, event::Ended{"failed", "", "no rows"}) == "no rows");
  CHECK(message(StopCause::none, End::zero, event::Ended{"failed", "", ""}) ==
        "the package failed with the status 'failed' and gave no reason");
  CHECK(message(StopCause::none, End::zero, event::Ended{"cancelled", "train", "enough"}) ==
        "train: enough; the package gave up as if stopped, but nobody stopped the run");
  CHECK(message(StopCause::asked, End::kill, std::nullopt) == "stopped by a user");
  CHECK(message(StopCause::max_runtime, End::kill, std::nullopt) ==
        "stopped because the run reached its longest permitted time");
  CHECK(message(StopCause::asked, End::failure, std::nullopt) == "stopped by a user: the data is not mounted");
  CHECK(message(StopCause::none, End::failure, std::nullopt) == "the data is not mounted");
}

TEST_CASE("a reason decides the status", "[outcome]") {
  struct Row {
    RunReason reason;
    const char* name;
    RunStatus status;
  };
  const Row rows[] = {
      {RunReason::ok, "ok", RunStatus::successful},
      {RunReason::package_error, "package_error", RunStatus::failed},
      {RunReason::invalid_input, "invalid_input", RunStatus::failed},
      {RunReason::crashed, "crashed", RunStatus::failed},
      {RunReason::out_of_memory, "out_of_memory", RunStatus::failed},
      {RunReason::disk_full, "disk_full", RunStatus::failed},
      {RunReason::too_many_processes, "too_many_processes", RunStatus::failed},
      {RunReason::too_many_open_files, "too_many_open_files", RunStatus::failed},
      {RunReason::log_full, "log_full", RunStatus::failed},
      {RunReason::stopped, "stopped", RunStatus::killed},
      {RunReason::max_runtime, "max_runtime", RunStatus::killed},
      {RunReason::lost, "lost", RunStatus::failed},
      {RunReason::store_error, "store_error", RunStatus::failed},
  };
  for (const Row& row : rows) {
    CHECK(name_of(row.reason) == row.name);
    CHECK((parse_run_reason(row.name).value() == row.reason));
    CHECK(name_of(outcome(row.reason, "x").status()) == name_of(row.status));
  }
  CHECK_FALSE(parse_run_reason("OK").ok());
  CHECK(name_of(RunStatus::successful) == "Successful");
  CHECK(name_of(RunStatus::killed) == "Killed");
}

TEST_CASE("a message is cut at a character and cleaned", "[outcome]") {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "\xC3\xBC";
  const Outcome cut = outcome(RunReason::package_error, text);
  CHECK(cut.message.size() == 2 * limits::kReasonCharacters);
  CHECK(is_utf8(cut.message));
  const Outcome cleaned = outcome(RunReason::package_error, std::string(3000, '\xFF'));
  CHECK(cleaned.message.size() == 3 * limits::kReasonCharacters);
  CHECK(is_utf8(cleaned.message));
}

TEST_CASE("an error of Trainyard's own work has a reason too", "[outcome]") {
  struct Row {
    Errc code;
    RunReason reason;
  };
  const Row rows[] = {{Errc::not_found, RunReason::invalid_input}, {Errc::exists, RunReason::store_error},
                      {Errc::invalid, RunReason::invalid_input},   {Errc::incompatible, RunReason::invalid_input},
                      {Errc::corrupt, RunReason::store_error},     {Errc::io, RunReason::store_error},
                      {Errc::unavailable, RunReason::disk_full},   {Errc::timed_out, RunReason::store_error},
                      {Errc::cancelled, RunReason::stopped},       {Errc::package_failed, RunReason::package_error}};
  for (const Row& row : rows) {
    const Outcome verdict = outcome_of(fail(row.code, "why"));
    CHECK(name_of(verdict.reason) == name_of(row.reason));
    CHECK(verdict.message == "why");
  }
}

}  // namespace trainyard::outcome_test
