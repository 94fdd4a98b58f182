// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/run_ports.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// How much anybody wants the run to stop: who waits for it, or who wrote so into its folder.
StopWish stop_wish(const RunFolder& folder, RunObserver& observer);

// Writes into a run's folder that it shall stop. A weaker wish does not replace a stronger one.
Result<void> ask_to_stop(const RunFolder& folder, const Path& scratch, StopWish wish);

}  // namespace trainyard
