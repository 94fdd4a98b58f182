// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: a statement of SLSA provenance (slsa_provenance.hpp) for each version, the version itself first, one a line. Of a
// version whose run or record is gone nothing can be stated. Nobody has signed them.
std::string slsa_lines(const Lineage& lineage);

}  // namespace trainyard
