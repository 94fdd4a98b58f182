// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/isolation.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Which layers of isolation jobs of this process's user get on this machine, found out by a worker that goes through all
// of them. `worker` is the absolute path of trainyard-worker; `scratch` a folder, in which nothing stays.
Result<IsolationFacts> probe_isolation(const Path& worker, const Path& scratch);

}  // namespace trainyard
