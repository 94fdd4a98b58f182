// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/isolation.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// What can be known of this machine's layers without making them.
IsolationFacts facts_at_hand();

// Prints the IsolationFacts of this machine and user as JSON, found out by starting a process in all layers, in the empty
// folder `scratch`. Returns the exit code of the process.
int run_isolation_probe(const Path& scratch);

}  // namespace trainyard
