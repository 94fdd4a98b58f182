// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/run_ports.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

// Asks a run to stop and waits until it is over. A job that nobody drives any more is driven from here. A run that is
// over already is `exists`.
Result<void> stop_run(const RunId& run, StopWish wish, RunPorts& ports);

// The same without waiting.
Result<void> ask_run_to_stop(const RunId& run, StopWish wish, const Store& store);

// Removes a run that is over, with its logs and artifacts folder. The version that it made stays, as do snapshots.
// `unavailable` while it is not over.
Result<void> delete_run(const RunId& run, const Store& store, Instant now);

}  // namespace trainyard
