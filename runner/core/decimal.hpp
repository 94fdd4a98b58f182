// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trainyard {

// A number as people write it, exactly: coefficient / 10^places. Three times 0.1 is 0.3.
class Decimal {
 public:
  // "10", "-0.5", "1e-4": fifteen digits that count at most, from 1e-15 up to 1e15. None for anything else.
  static std::optional<Decimal> parse(std::string_view text);

  // With the fewest digits and without an exponent: "0.0001".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] double value() const;
  [[nodiscard]] bool is_whole() const { return places_ == 0; }

  // How often `step` fits between the two; what is left over does not count. None where the numbers between have more than
  // fifteen digits. REQUIRES: step is not 0.
  static std::optional<std::int64_t> steps_between(const Decimal& from, const Decimal& to, const Decimal& step);
  // from + step * times. REQUIRES: no more times than `steps_between` has told.
  static Decimal after_steps(const Decimal& from, const Decimal& step, std::int64_t times);
  // None where it would be more than `parse` yields.
  [[nodiscard]] std::optional<Decimal> times(std::int64_t factor) const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  Decimal(std::int64_t coefficient, int places) : coefficient_(coefficient), places_(places) {}

  std::int64_t coefficient_;
  int places_;  // 0 … 15; no more than are needed
};

}  // namespace trainyard
