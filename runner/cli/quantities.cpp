// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/quantities.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

#include "runner/core/run_request.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

Result<std::int64_t> parse_duration(const std::string& option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  double factor = 0;
  if (unit == "ms") factor = 1;
  if (unit.empty() || unit == "s") factor = 1000;
  if (unit == "m") factor = 60 * 1000;
  if (unit == "h") factor = 3600 * 1000;
  if (unit == "d") factor = 24 * 3600 * 1000;
  const double milliseconds = std::round(value * factor);
  if (error == std::errc() && factor > 0 && value >= 0 &&
      milliseconds <= static_cast<double>(RunRequest::kLongestTime)) {
    return static_cast<std::int64_t>(milliseconds);
  }
  return fail(Errc::invalid,
              option + " is '" + text + "' but must be a time such as 90s, 30m or 8h, of a year at most");
}

Result<std::int64_t> parse_size(const std::string& option, const std::string& text) {
  constexpr double kMost = 9e18;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit(end, text.data() + text.size());
  if (unit.ends_with("iB")) unit.resize(unit.size() - 2);
  if (unit.ends_with('B')) unit.pop_back();
  constexpr std::string_view kUnits = "KMGTP";
  const std::size_t power = unit.empty() ? 0 : kUnits.find(unit) + 1;
  const double bytes = std::floor(value * std::pow(1024.0, static_cast<double>(power)));
  const bool known = unit.empty() || (unit.size() == 1 && power != 0);
  if (error == std::errc() && known && bytes >= 1 && bytes < kMost) return static_cast<std::int64_t>(bytes);
  return fail(Errc::invalid, option + " is '" + text + "' but must be a size such as 512M, 8G or 1.5T");
}

Result<int> parse_small(const std::string& option, const std::string& text, int least, int most) {
  return static_cast<int>(TRY(parse_whole(option, text, least, most)));
}

Result<std::int64_t> parse_whole(const std::string& option, const std::string& text, std::int64_t least,
                                 std::int64_t most) {
  const auto value = number_in<std::int64_t>(text);
  if (value && *value >= least && *value <= most) return *value;
  return fail(Errc::invalid, option + " is '" + text + "' but must be a whole number from " + std::to_string(least) +
                                 " to " + std::to_string(most));
}

Result<std::int64_t> parse_cpus(const std::string& option, const std::string& text) {
  constexpr double kMost = 100'000;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const double thousandths = std::round(value * 1000);
  if (error == std::errc() && end == text.data() + text.size() && thousandths >= 10 && value <= kMost)
    return static_cast<std::int64_t>(thousandths);
  return fail(Errc::invalid, option + " is '" + text + "' but must be a number of processors such as 2 or 0.5");
}

}  // namespace trainyard
