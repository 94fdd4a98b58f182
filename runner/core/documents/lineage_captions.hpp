// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/lineage.hpp"

namespace trainyard {

// What a drawing says of a node: lines of printable UTF-8, none of them empty.
struct Caption {
  std::vector<std::string> lines;
  bool missing = false;  // what it stands for is gone, or its bytes are
};

Caption caption_of(const LineageVersion& version);
Caption caption_of(const LineageRun& run);
Caption caption_of(const LineageDataset& dataset);

}  // namespace trainyard
