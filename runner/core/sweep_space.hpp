// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runner/core/decimal.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// The values that a sweep gives a hyperparameter, as a person writes them:
//
//   0.01,0.1,1          these; a comma inside a value is written '\,'
//   10:50:10            from 10 to 50 in steps of 10, both ends taken; also downwards: 50:10:-10
//   0.001..0.1          any number between; whole ones when both ends are written without a point. For random samples.
//   log:0.0001..0.1     the same, each power of ten as likely as another
class SweepParameter {
 public:
  // "NAME=VALUES". `invalid` says in one sentence what is wrong.
  static Result<SweepParameter> parse(std::string_view text);
  static Result<SweepParameter> parse(std::string name, std::string values);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& written() const { return written_; }
  // How many values there are; 0 where there are no fixed ones.
  [[nodiscard]] std::uint64_t count() const;
  // REQUIRES: which < count()
  [[nodiscard]] std::string at(std::uint64_t which) const;
  // The value that 64 random bits mean.
  [[nodiscard]] std::string drawn(std::uint64_t bits) const;

  friend bool operator==(const SweepParameter& a, const SweepParameter& b) {
    return a.name_ == b.name_ && a.written_ == b.written_;
  }

 private:
  using List = std::vector<std::string>;
  struct Steps {
    Decimal from;
    Decimal step;
    std::uint64_t count;
  };
  enum class Scale { linear, logarithmic };
  struct Span {
    Decimal from;
    Decimal to;
    Scale scale;
    bool whole;  // numbers alone
  };
  using Values = std::variant<List, Steps, Span>;

  SweepParameter(std::string name, std::string written, Values values)
      : name_(std::move(name)), written_(std::move(written)), values_(std::move(values)) {}
  static Result<Values> parse_values(const std::string& name, const std::string& written);
  static Result<Steps> parse_steps(const std::string& what, const std::vector<std::string>& parts);
  static Result<Span> parse_span(const std::string& what, std::string_view from, std::string_view to, Scale scale);
  static Result<List> parse_list(const std::string& what, std::string_view written);

  std::string name_;
  std::string written_;
  Values values_;
};

// One choice of a value for each parameter. Points are numbered from 1.
using SweepPoint = std::map<std::string, std::string>;

inline constexpr std::size_t kMostPoints = 10'000;

// All combinations; the last parameter changes fastest. `invalid` where there is no end of them, or too many.
Result<std::vector<SweepPoint>> grid_of(const std::vector<SweepParameter>& parameters);

// `count` different points, the same ones on every machine: each value comes from SHA-256 of the seed and a running number.
// `invalid` where there are not so many.
Result<std::vector<SweepPoint>> sample_of(const std::vector<SweepParameter>& parameters, std::size_t count,
                                          std::uint64_t seed);

}  // namespace trainyard
