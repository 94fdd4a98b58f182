// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: the version and what it was made of as a bill of materials for machine learning, CycloneDX 1.6
// (https://cyclonedx.org/docs/1.6/json/): the model with its scores, its ancestors, and the data. Its time is that of the
// last thing it tells of, and its serial number follows from its content.
Json cyclonedx_bom(const Lineage& lineage);

}  // namespace trainyard
