// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/run_plan.hpp"
#include "storage/store/store.hpp"

// What a run sends to a remote at its end.
namespace trainyard {

// `not_found` when the store does not know the remote that the outputs of the run are to go to.
Result<void> check_output_remote(const RunRequest& request, const Store& store);

// Sends what a run that is over has left, where that was asked for. The run is over whatever comes of it: a failure is told
// on stderr, with the command that does it again.
void send_outputs_of(const RunPlan& plan, const Store& store);

// "trainyard runs send 0191… --to bucket". REQUIRES: the run has a remote for its outputs.
std::string sending_command(const RunPlan& plan);

}  // namespace trainyard
