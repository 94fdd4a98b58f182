// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/values/tree.hpp"

namespace trainyard {

// How two trees differ, for people.
void print_differences(const std::vector<TreeDifference>& differences);

// "changed  model.bin  (116.5 KiB, other bytes)"
std::string difference_text(const TreeDifference& difference);

}  // namespace trainyard
