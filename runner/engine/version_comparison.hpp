// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/version_difference.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// Reads what is left of two versions and of the runs that made them, and holds them against each other. `not_found` when
// there is no such version; what else is missing is said in the answer.
Result<VersionDifference> compare_stored_versions(const PackageReference& before, const PackageReference& after,
                                                  const Store& store);

}  // namespace trainyard
