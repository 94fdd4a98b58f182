// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: the lineage as a picture that needs nothing else. One generation below the other, the upload on top; the data of a
// run on its left, the evaluations of a version on its right. What is missing is dashed. Each box has its whole text as a
// title, for those who hover or listen.
std::string lineage_svg(const Lineage& lineage);

}  // namespace trainyard
