// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// A moment in UTC with microseconds. Its text form is RFC 3339 with six digits and a Z: 2026-01-01T00:00:00.000000Z.
struct Instant {
  std::int64_t microseconds = 0;  // since 1970-01-01T00:00:00Z

  static Result<Instant> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  // Without the fraction, for people: "2026-01-01 00:00:00Z".
  [[nodiscard]] std::string short_text() const;
  [[nodiscard]] double seconds() const { return static_cast<double>(microseconds) / 1e6; }

  friend auto operator<=>(const Instant&, const Instant&) = default;
};

}  // namespace trainyard
