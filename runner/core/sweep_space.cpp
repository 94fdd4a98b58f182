// SPDX-License-Identifier: Apache-2.0
#include "runner/core/sweep_space.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "storage/values/parameter.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

__extension__ using Wide128 = unsigned __int128;

constexpr std::string_view kLogarithmic = "log:";
constexpr std::size_t kLongestValue = 4096;
// So often in a row nothing new was drawn: then there is nothing new.
constexpr int kMostMisses = 1000;

std::vector<std::string> parts_of(std::string_view text, char border) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == border) {
      parts.back() += text[++i];
    } else if (text[i] == border) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

bool is_written_whole(std::string_view text) { return text.find_first_of(".eE") == std::string_view::npos; }

// Two colons between numbers, or what somebody meant by them.
bool is_meant_as_steps(const std::vector<std::string>& parts) {
  return parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return part.empty() || Decimal::parse(part).has_value();
         });
}

// ratio^share for a share of 0 up to 1, by square roots and products alone, whose results no library decides about.
double power_of(double ratio, std::uint64_t share_bits) {
  double power = 1;
  double root = ratio;
  for (int bit = 63; bit >= 0 && root != 1; --bit) {
    root = std::sqrt(root);
    if (((share_bits >> static_cast<unsigned>(bit)) & 1U) != 0) power = power * root;
  }
  return power;
}

// Of `count` values one, each as likely as another but for 2^-64.
std::uint64_t below(std::uint64_t count, std::uint64_t bits) {
  return static_cast<std::uint64_t>((Wide128{bits} * count) >> 64U);
}

// That with this number; the last parameter changes fastest.
SweepPoint point_of_grid(const std::vector<SweepParameter>& parameters, std::uint64_t number) {
  SweepPoint point;
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
    point[parameter->name()] = parameter->at(number % parameter->count());
    number /= parameter->count();
  }
  return point;
}

std::string six_digits(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  const auto exact = Decimal::parse(buffer);
  return exact ? exact->text() : buffer;
}

}  // namespace

Result<SweepParameter> SweepParameter::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid, "--param is '" + utf8_cleaned(text) + "' but must be NAME=VALUES, such as lr=0.01,0.1");
  }
  return parse(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Result<SweepParameter> SweepParameter::parse(std::string name, std::string values) {
  if (!is_variable_name(name)) {
    return fail(Errc::invalid,
                "--param gives '" + utf8_cleaned(name) + "', which is no name of letters, digits and '_'");
  }
  if (!is_utf8(values)) return fail(Errc::invalid, "--param gives " + name + " a value that is not UTF-8");
  auto parsed = TRY(parse_values(name, values));
  return SweepParameter(std::move(name), std::move(values), std::move(parsed));
}

Result<SweepParameter::Values> SweepParameter::parse_values(const std::string& name, const std::string& written) {
  const std::string what = "--param " + name + " is '" + written + "'";
  const bool logarithmic = written.starts_with(kLogarithmic);
  const std::string_view numbers = std::string_view(written).substr(logarithmic ? kLogarithmic.size() : 0);
  const std::size_t dots = numbers.find("..");
  if (dots != std::string_view::npos) {
    const std::string_view from = numbers.substr(0, dots);
    const std::string_view to = numbers.substr(dots + 2);
    if (logarithmic || (Decimal::parse(from) && Decimal::parse(to)))
      return Values(TRY(parse_span(what, from, to, logarithmic ? Scale::logarithmic : Scale::linear)));
  }
  if (logarithmic) return fail(Errc::invalid, what + " but a logarithmic range is written log:FROM..TO");
  if (const auto parts = parts_of(written, ':'); is_meant_as_steps(parts)) return Values(TRY(parse_steps(what, parts)));
  return Values(TRY(parse_list(what, written)));
}

Result<SweepParameter::Steps> SweepParameter::parse_steps(const std::string& what,
                                                          const std::vector<std::string>& parts) {
  const bool complete = std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); });
  if (parts.size() != 3 || !complete) {
    return fail(Errc::invalid, what + " but a range with steps is written FROM:TO:STEP, such as 10:50:10");
  }
  const Decimal from = *Decimal::parse(parts[0]);
  const Decimal to = *Decimal::parse(parts[1]);
  const Decimal step = *Decimal::parse(parts[2]);
  const Decimal zero = *Decimal::parse("0");
  if (step == zero) return fail(Errc::invalid, what + ", whose step is 0");
  if ((from < to && step < zero) || (from > to && step > zero)) {
    return fail(Errc::invalid, what + ", whose step leads away from " + parts[1] + "; give it the other sign");
  }
  const auto steps = Decimal::steps_between(from, to, step);
  if (!steps) return fail(Errc::invalid, what + ", whose values need more than fifteen digits");
  return Steps{from, step, static_cast<std::uint64_t>(*steps) + 1};
}

Result<SweepParameter::Span> SweepParameter::parse_span(const std::string& what, std::string_view from,
                                                        std::string_view to, Scale scale) {
  const auto least = Decimal::parse(from);
  const auto most = Decimal::parse(to);
  if (!least || !most) return fail(Errc::invalid, what + " but both ends of a range must be numbers");
  if (*least >= *most)
    return fail(Errc::invalid, what + ", in which nothing lies; the smaller end of a range comes first");
  if (scale == Scale::logarithmic && *least <= *Decimal::parse("0"))
    return fail(Errc::invalid, what + " but a logarithmic range begins above 0");
  return Span{*least, *most, scale, is_written_whole(from) && is_written_whole(to)};
}

Result<SweepParameter::List> SweepParameter::parse_list(const std::string& what, std::string_view written) {
  List values = parts_of(written, ',');
  std::set<std::string> seen;
  for (const std::string& value : values) {
    if (value.empty()) return fail(Errc::invalid, what + ", in which a value is empty");
    if (value.size() > kLongestValue)
      return fail(Errc::invalid, what.substr(0, 100) + "…, in which a value is too long");
    if (!seen.insert(value).second) return fail(Errc::invalid, what + ", which has '" + value + "' twice");
  }
  return values;
}

std::uint64_t SweepParameter::count() const {
  if (const auto* const list = std::get_if<List>(&values_)) return list->size();
  if (const auto* const steps = std::get_if<Steps>(&values_)) return steps->count;
  return 0;
}

std::string SweepParameter::at(std::uint64_t which) const {
  if (const auto* const list = std::get_if<List>(&values_)) return (*list)[which];
  const auto& steps = std::get<Steps>(values_);
  return Decimal::after_steps(steps.from, steps.step, static_cast<std::int64_t>(which)).text();
}

std::string SweepParameter::drawn(std::uint64_t bits) const {
  const auto* const span = std::get_if<Span>(&values_);
  if (span == nullptr) return at(below(count(), bits));
  const double from = span->from.value();
  const double to = span->to.value();
  if (span->whole && span->scale == Scale::linear) {
    const auto least = static_cast<std::int64_t>(from);
    const auto most = static_cast<std::int64_t>(to);
    return std::to_string(least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1, bits)));
  }
  const double share = static_cast<double>(bits >> 11U) * 0x1p-53;
  const double value =
      span->scale == Scale::linear ? std::fma(share, to - from, from) : from * power_of(to / from, bits);
  const std::string text = span->whole ? std::to_string(std::llround(value)) : six_digits(value);
  const auto rounded = Decimal::parse(text);
  if (!rounded || *rounded < span->from) return span->from.text();
  return *rounded > span->to ? span->to.text() : text;
}

Result<std::vector<SweepPoint>> grid_of(const std::vector<SweepParameter>& parameters) {
  std::uint64_t count = 1;
  for (const SweepParameter& parameter : parameters) {
    if (parameter.count() == 0) {
      return fail(Errc::invalid, "--param " + parameter.name() + " is '" + parameter.written() +
                                     "', a range without steps, of which only a random sample can be taken; give "
                                     "--random N, or steps as FROM:TO:STEP");
    }
    if (parameter.count() > kMostPoints / count) {
      return fail(Errc::invalid, "the parameters have more than " + std::to_string(kMostPoints) +
                                     " combinations; give --random N for some of them");
    }
    count *= parameter.count();
  }
  std::vector<SweepPoint> points;
  for (std::uint64_t i = 0; i < count; ++i) points.push_back(point_of_grid(parameters, i));
  return points;
}

namespace {

// Random bits that the seed alone decides.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t next() {
    const Digest digest = sha256("trainyard.sweep/1 " + std::to_string(seed_) + " " + std::to_string(drawn_++));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(bits); ++i) bits = bits << 8U | digest.bytes()[i];
    return bits;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;
};

// Of all combinations by their number in the grid: each step takes one of those that are left.
std::vector<SweepPoint> sample_of_grid(const std::vector<SweepParameter>& parameters, std::uint64_t all,
                                       std::size_t count, Draws& draws) {
  std::vector<SweepPoint> points;
  std::map<std::uint64_t, std::uint64_t> moved;  // what lies where another combination lay before
  const auto at = [&](std::uint64_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t place = i + below(all - i, draws.next());
    const std::uint64_t taken = at(place);
    moved[place] = at(i);
    points.push_back(point_of_grid(parameters, taken));
  }
  return points;
}

}  // namespace

Result<std::vector<SweepPoint>> sample_of(const std::vector<SweepParameter>& parameters, std::size_t count,
                                          std::uint64_t seed) {
  std::uint64_t all = 1;
  for (const SweepParameter& parameter : parameters) {
    const bool endless = parameter.count() == 0 || all == 0 || parameter.count() > UINT64_MAX / all;
    all = endless ? 0 : all * parameter.count();
  }
  Draws draws(seed);
  const auto too_few = [&](const std::string& there_are) {
    return fail(Errc::invalid, "--random is " + std::to_string(count) + ", but the parameters have only " + there_are);
  };
  if (all != 0 && count > all) return too_few(std::to_string(all) + " combinations; without it all of them are taken");
  if (all != 0) return sample_of_grid(parameters, all, count, draws);
  std::vector<SweepPoint> points;
  std::set<SweepPoint> seen;
  for (int misses = 0; points.size() < count;) {
    SweepPoint point;
    for (const SweepParameter& parameter : parameters) point[parameter.name()] = parameter.drawn(draws.next());
    if (seen.insert(point).second) {
      points.push_back(std::move(point));
      misses = 0;
    } else if (++misses > kMostMisses) {
      return too_few("about " + std::to_string(points.size()) + " combinations");
    }
  }
  return points;
}

}  // namespace trainyard
