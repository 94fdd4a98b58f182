// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// Whether a part of a key may be called so: 1 to 255 of [A-Za-z0-9._-], and neither "." nor "..".
bool is_key_part(std::string_view part);

// key := part ("/" part)*, 1024 bytes at most; anything else is `invalid`.
Result<void> check_key(std::string_view key);

// What keys can begin with: "", a key, or a key and a "/".
Result<void> check_key_prefix(std::string_view prefix);

}  // namespace trainyard
