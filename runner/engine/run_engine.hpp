// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runner/core/run_request.hpp"
#include "runner/core/run_results.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// Plans a run and drives it to its end. An error is a refusal: no run was made. A run that failed is a report.
Result<RunReport> run(const RunRequest& request, RunPorts& ports);

// Ends every run that a dead process left behind, as its journal allows; a job that still runs is left to run. Runs
// that a living process drives are not touched. For each run that was ended here its report, or why it could not be
// ended: one damaged run keeps no other from its end.
Result<std::vector<Result<RunReport>>> recover_runs(RunPorts& ports);

}  // namespace trainyard
