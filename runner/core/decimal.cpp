// SPDX-License-Identifier: Apache-2.0
#include "runner/core/decimal.hpp"

#include <algorithm>

#include "storage/values/number.hpp"

namespace trainyard {

namespace {

__extension__ using Wide = __int128;

constexpr int kMostPlaces = 15;
constexpr std::int64_t kMostCoefficient = 999'999'999'999'999;  // fifteen digits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// What "12.50e-3" says: digits without a point, and how many of them stand behind it.
struct Written {
  std::string digits;
  std::int64_t places = 0;
};

std::optional<Written> read_digits(std::string_view text) {
  Written written;
  bool point = false;
  std::size_t at = 0;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
    } else {
      written.digits += text[at];
      written.places += point ? 1 : 0;
    }
  }
  if (written.digits.empty()) return std::nullopt;
  if (at == text.size()) return written;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  std::string_view exponent = text.substr(at + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  const auto value = number_in<int>(exponent);
  if (!value || *value < -1000 || *value > 1000) return std::nullopt;
  written.places -= *value;
  return written;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  auto written = read_digits(negative ? text.substr(1) : text);
  if (!written) return std::nullopt;
  std::string& digits = written->digits;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    --written->places;
  }
  if (digits.empty()) return Decimal(0, 0);
  if (written->places < 0) {
    if (digits.size() + static_cast<std::size_t>(-written->places) > kMostPlaces) return std::nullopt;
    digits.append(static_cast<std::size_t>(-written->places), '0');
    written->places = 0;
  }
  if (digits.size() > kMostPlaces || written->places > kMostPlaces) return std::nullopt;
  const auto coefficient = number_in<std::int64_t>(digits);
  if (!coefficient) return std::nullopt;
  return Decimal(negative ? -*coefficient : *coefficient, static_cast<int>(written->places));
}

std::string Decimal::text() const {
  std::string digits = std::to_string(coefficient_ < 0 ? -coefficient_ : coefficient_);
  const auto places = static_cast<std::size_t>(places_);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, ".");
  return (coefficient_ < 0 ? "-" : "") + digits;
}

double Decimal::value() const { return number_in<double>(text()).value_or(0); }

std::optional<std::int64_t> Decimal::steps_between(const Decimal& from, const Decimal& to, const Decimal& step) {
  const int places = std::max({from.places_, to.places_, step.places_});
  const auto scaled = [&](const Decimal& number) {
    return number.coefficient_ * power_of_ten(places - number.places_);
  };
  for (const Decimal& number : {from, to, step}) {
    if (scaled(number) > kMostCoefficient || scaled(number) < -kMostCoefficient) return std::nullopt;
  }
  return static_cast<std::int64_t>((scaled(to) - scaled(from)) / scaled(step));
}

Decimal Decimal::after_steps(const Decimal& from, const Decimal& step, std::int64_t times) {
  int places = std::max(from.places_, step.places_);
  Wide sum = from.coefficient_ * power_of_ten(places - from.places_) +
             step.coefficient_ * power_of_ten(places - step.places_) * times;
  while (places > 0 && sum % 10 == 0) {
    sum /= 10;
    --places;
  }
  return Decimal(static_cast<std::int64_t>(sum), places);
}

std::optional<Decimal> Decimal::times(std::int64_t factor) const {
  Wide product = Wide{coefficient_} * factor;
  int places = places_;
  while (places > 0 && product % 10 == 0) {
    product /= 10;
    --places;
  }
  if (product > kMostCoefficient || product < -kMostCoefficient) return std::nullopt;
  return Decimal(static_cast<std::int64_t>(product), places);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const Wide left = a.coefficient_ * power_of_ten(b.places_);
  const Wide right = b.coefficient_ * power_of_ten(a.places_);
  return left < right   ? std::strong_ordering::less
         : left > right ? std::strong_ordering::greater
                        : std::strong_ordering::equal;
}

}  // namespace trainyard
