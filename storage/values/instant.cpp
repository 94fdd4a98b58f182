// SPDX-License-Identifier: Apache-2.0
#include "storage/values/instant.hpp"

#include <chrono>
#include <cstdio>

namespace trainyard {

namespace {

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::microseconds> time;
};

Civil civil(Instant instant) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds(instant.microseconds)};
  const auto day = floor<days>(point);
  return {year_month_day(day), hh_mm_ss<microseconds>(point - day)};
}

int number(std::string_view text, std::size_t begin, std::size_t count) {
  int value = 0;
  for (std::size_t i = begin; i < begin + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

std::string formatted(Instant instant, char between, bool fraction) {
  const auto [date, time] = civil(instant);
  char buffer[64];
  int size = std::snprintf(buffer, sizeof(buffer), "%04d-%02u-%02u%c%02d:%02d:%02d", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), between,
                           static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                           static_cast<int>(time.seconds().count()));
  std::string text(buffer, static_cast<std::size_t>(size));
  if (fraction) {
    size = std::snprintf(buffer, sizeof(buffer), ".%06d", static_cast<int>(time.subseconds().count()));
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text + "Z";
}

}  // namespace

Result<Instant> Instant::parse(std::string_view text) {
  namespace chrono = std::chrono;
  const Error invalid =
      fail(Errc::invalid, "'" + std::string(text) + "' is not a time like 2026-01-01T00:00:00.000000Z");
  if (text.size() != 27) return invalid;
  const chrono::year_month_day date{chrono::year(number(text, 0, 4)),
                                    chrono::month(static_cast<unsigned>(number(text, 5, 2))),
                                    chrono::day(static_cast<unsigned>(number(text, 8, 2)))};
  const int micros = number(text, 20, 6);
  if (!date.ok() || micros < 0) return invalid;
  const auto time = chrono::hours(number(text, 11, 2)) + chrono::minutes(number(text, 14, 2)) +
                    chrono::seconds(number(text, 17, 2)) + chrono::microseconds(micros);
  const Instant instant{(chrono::sys_days(date).time_since_epoch() + time).count()};
  if (instant.text() != text) return invalid;
  return instant;
}

std::string Instant::text() const { return formatted(*this, 'T', true); }

std::string Instant::short_text() const { return formatted(*this, ' ', false); }

}  // namespace trainyard
