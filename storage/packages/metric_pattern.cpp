// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/metric_pattern.hpp"

#include <re2/re2.h>

#include <cstdint>

#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::int64_t kMostMemory = std::int64_t{8} << 20;

std::optional<double> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return number_in<double>(text);
}

}  // namespace

Result<MetricPattern> MetricPattern::of(std::string name, const std::string& regex) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  auto compiled = std::make_shared<const re2::RE2>(regex, options);
  if (!compiled->ok()) {
    return fail(Errc::invalid, "the metric '" + name + "' has the regular expression '" + regex +
                                   "', which is none: " + compiled->error());
  }
  if (compiled->NumberOfCapturingGroups() == 0) {
    return fail(Errc::invalid, "the metric '" + name + "' has the regular expression '" + regex +
                                   "', which has no group in parentheses for the value");
  }
  return MetricPattern(std::move(name), std::move(compiled));
}

std::optional<double> MetricPattern::value_in(std::string_view line) const {
  re2::StringPiece value;
  if (!re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *regex_, &value)) return std::nullopt;
  return number_of({value.data(), value.size()});
}

}  // namespace trainyard
