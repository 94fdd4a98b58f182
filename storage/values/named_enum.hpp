// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace trainyard {

// The value of an enumeration whose names stand in `names` in its order, or none.
template <class Enum, std::size_t kCount>
std::optional<Enum> enum_named(const std::string_view (&names)[kCount], std::string_view text) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace trainyard
