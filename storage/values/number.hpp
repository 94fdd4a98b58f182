// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace trainyard {

// The whole text as a number: in decimal digits, or for a `double` as "1.5e3" or "nan". None when something else is in it,
// be it a blank or a plus sign, or when it does not fit. Leading zeros are fine.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace trainyard
