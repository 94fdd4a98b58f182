// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: the lineage as PROV-JSON (W3C member submission of 2013, https://www.w3.org/submissions/prov-json/): versions and
// data are entities, runs are activities, the runner that drove a run is its agent.
Json prov_json(const Lineage& lineage);

}  // namespace trainyard
