// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "runner/core/documents/argo_wish.hpp"
#include "runner/core/run_plan.hpp"

namespace trainyard {

// Pure. A WorkflowTemplate of Argo Workflows (argoproj.io/v1alpha1) whose one container does the run of a plan again:
// package from a remote, data from the cluster, the recorded options; the hyperparameters are parameters of the workflow,
// with the recorded values; results, artifacts and the new version are output artifacts. `manifest` is that of the plan's
// package. `incompatible` or `invalid` names what cannot be exported.
Result<Json> argo_template(const RunPlan& plan, const Manifest& manifest, const ArgoWish& wish);

// The keys of such a document in the order in which people write them; others follow by name.
const std::vector<std::string_view>& argo_key_order();

}  // namespace trainyard
