// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "storage/values/json.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// How two trees differ, for programs and for people.
Json differences_json(const std::vector<TreeDifference>& differences);
void print_differences(const std::vector<TreeDifference>& differences);

}  // namespace trainyard
