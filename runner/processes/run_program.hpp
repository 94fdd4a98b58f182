// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runner/processes/process.hpp"

namespace trainyard {

struct ProgramOutput {
  ExitStatus status;
  std::string out;
  std::string err;
};

// Runs a program to its end and keeps all that it printed. `timed_out` when it takes longer; then the program is dead,
// with its process group. Its standard streams are files in memory, so nothing can block; what children that outlive it
// print later is not kept.
Result<ProgramOutput> run_program(const std::vector<std::string>& argv,
                                  const std::map<std::string, std::string>& environment,
                                  const std::string& working_directory, std::string_view stdin_text,
                                  std::chrono::milliseconds timeout);

}  // namespace trainyard
