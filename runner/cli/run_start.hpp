// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/cli/command.hpp"
#include "runner/cli/exit_code.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_request.hpp"
#include "runner/core/secrets.hpp"

namespace trainyard {

enum class Detach { no, yes };

// Makes a run and tells of it: of its end, or with `yes` of its beginning.
Result<ExitCode> start_run(const RunRequest& request, const Secrets& secrets, Repeats repeats,
                           const Invocation& invocation, Detach detach);

// Of what somebody typed; `invalid` names the option.
Result<RunRequest> request_of(RunType type, const command::RunOptions& command);

// What is there as a path is one, also when a dataset of the store has that name; so is what begins like one, and what an
// address of the kind file names. The address of a bucket stays what it is.
Result<std::string> dataset_of(const std::string& typed);

// "NAME=VALUE" each; one that the request has already is replaced, one that is given twice refused.
Result<void> set_variables(RunRequest& request, const std::vector<std::string>& pairs);

}  // namespace trainyard
