// SPDX-License-Identifier: Apache-2.0
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "runner/cli/arguments.hpp"
#include "runner/cli/commands.hpp"
#include "runner/cli/wiring.hpp"

namespace {

using trainyard::ExitCode;

ExitCode run(int argc, const char* const* argv) {
  const auto parsed = trainyard::parse_arguments(argc, argv);
  if (const auto* const answer = std::get_if<trainyard::Answer>(&parsed)) {
    std::fputs(answer->text.c_str(), answer->code == ExitCode::ok ? stdout : stderr);
    return answer->code;
  }
  const auto& invocation = std::get<trainyard::Invocation>(parsed);
  const auto code =
      std::visit([&](const auto& command) { return trainyard::perform(command, invocation); }, invocation.command);
  if (code.ok()) return *code;
  trainyard::complain(code.error().message);
  return trainyard::exit_code_of(code.error());
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  // Every time that is kept or shown is UTC, and libzip takes the times of a zip through local time.
  ::setenv("TZ", "UTC0", 1);
  try {
    const ExitCode code = run(argc, argv);
    // A full disk or a closed pipe behind stdout must not look like success.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      trainyard::complain("the output could not be written");
      return static_cast<int>(ExitCode::store);
    }
    return static_cast<int>(code);
  } catch (const std::bad_alloc&) {
    trainyard::complain("memory ran out; close other programs or use a machine with more");
  } catch (const std::exception& error) {
    trainyard::complain(std::string("a mistake of Trainyard itself, please report it: ") + error.what());
  }
  return static_cast<int>(ExitCode::store);
}
