// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "runner/cli/command.hpp"
#include "runner/cli/exit_code.hpp"

namespace trainyard {

// The command line needs no work: `text` goes to stdout for `ok` (a help, the version), else to stderr.
struct Answer {
  ExitCode code = ExitCode::ok;
  std::string text;
};

std::variant<Invocation, Answer> parse_arguments(int argc, const char* const* argv);

}  // namespace trainyard
