// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace re2 {
class RE2;
}

namespace trainyard {

// A metric that is read from what a package prints: the first group of a regular expression is the value. Matching takes
// time in proportion to the line, whatever the expression (RE2), so a package cannot make it a trap.
class MetricPattern {
 public:
  // `invalid` when it is no regular expression of RE2's syntax, or has no group.
  static Result<MetricPattern> of(std::string name, const std::string& regex);

  [[nodiscard]] const std::string& name() const { return name_; }
  // The value in a line; none when it does not match, or the group is no number.
  [[nodiscard]] std::optional<double> value_in(std::string_view line) const;

 private:
  MetricPattern(std::string name, std::shared_ptr<const re2::RE2> regex)
      : name_(std::move(name)), regex_(std::move(regex)) {}

  std::string name_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace trainyard
