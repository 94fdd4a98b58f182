// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/run_plan.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// `exists` when a run that is over has made a version, which is still there, of just what the plan is about: the same
// version, data, variables, hyperparameters, interpreter and secrets. The sentence names both. Data is read only when there
// is a run that is the same but for it. Runs that wait or run at the same time are not looked for. Nothing to do when the
// ports know no runs.
Result<void> refuse_repeat(const RunPlan& plan, RunPorts& ports);

}  // namespace trainyard
