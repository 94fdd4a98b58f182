// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/values/json.hpp"

namespace trainyard {

// A document as YAML that every reader, of YAML 1.1 or 1.2, takes for the same values: whatever might be read as another
// type is quoted, lines of text stand as lines. Keys of `order` come first, in that order; the others by name. Ends with a
// line break.
std::string yaml_text(const Json& document, const std::vector<std::string_view>& order);

}  // namespace trainyard
