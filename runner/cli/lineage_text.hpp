// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/lineage.hpp"

namespace trainyard {

enum class Strokes { ascii, unicode };

// Pure: the lineage as a tree for people, the version itself on top and its upload at the bottom. The way back is one
// line straight down, however long it is.
std::string lineage_text(const Lineage& lineage, Strokes strokes);

}  // namespace trainyard
