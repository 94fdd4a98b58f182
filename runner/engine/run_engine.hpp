// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runner/core/run_request.hpp"
#include "runner/core/run_results.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// Plans a run and drives it to its end. An error is a refusal: no run was made. A run that failed is a report.
Result<RunReport> run(const RunRequest& request, RunPorts& ports);

// The same with data that was found already, whatever the dataset of the request means by now.
Result<RunReport> run_on(const RunData& data, const RunRequest& request, RunPorts& ports);

// Variables of a run that are other than those of a request.
using RunVariation = std::map<std::string, std::string>;

// Makes the plan of each variation of a request as far as that can be done before its data is read: what `run` would refuse
// is refused here, and nothing is begun.
Result<void> plan_before_data(const RunRequest& request, const std::vector<RunVariation>& variations, RunPorts& ports,
                              const std::function<Result<void>(const RunPlan&)>& each);

// What became of the runs that dead processes left behind.
struct RecoveredRuns {
  std::vector<Result<RunReport>> ended;  // or why one could not be ended: a damaged run keeps no other from its end
  std::vector<RunPlan> waiting;          // for a slot or for another attempt: somebody has to go on with them
};

// Ends every run that a dead process left behind, as its journal allows; a job that still runs is left to run. Runs
// that a living process drives are not touched.
Result<RecoveredRuns> recover_runs(RunPorts& ports);

// Drives a run that waits, to its end. None when somebody else does, or when it is over.
Result<std::optional<RunReport>> go_on(const RunId& run, RunPorts& ports);

}  // namespace trainyard
