// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/documents/argo_wish.hpp"
#include "runner/core/run_plan.hpp"

namespace trainyard {

struct ArgoContainer {
  Json json;     // a Container as Kubernetes has it
  Json volumes;  // what it mounts: a list, perhaps empty
};

// Pure. The container that does the run of a plan again: image, command, variables, mounts and resources. `parameters` are
// the variables of the code that the workflow has parameters for.
ArgoContainer argo_container(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoWish& wish);

}  // namespace trainyard
