// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: the lineage in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html). Boxes are versions, ellipses
// runs, cylinders data; what is missing is dashed. Time runs from top to bottom.
std::string lineage_dot(const Lineage& lineage);

}  // namespace trainyard
