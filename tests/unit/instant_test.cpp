// SPDX-License-Identifier: Apache-2.0
#include "storage/values/instant.hpp"

#include <catch2/catch.hpp>

namespace trainyard::instant_test {

TEST_CASE("an instant has one text", "[instant]") {
  struct Row {
    std::int64_t microseconds;
    const char* text;
  };
  const Row rows[] = {
      {0, "1970-01-01T00:00:00.000000Z"},
      {1'767'225'612'500'000, "2026-01-01T00:00:12.500000Z"},
      {1, "1970-01-01T00:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {951'782'400'000'000, "2000-02-29T00:00:00.000000Z"},
      {253'402'300'799'999'999, "9999-12-31T23:59:59.999999Z"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Instant{row.microseconds}.text() == row.text);
    const auto read = Instant::parse(row.text);
    REQUIRE(read.ok());
    CHECK(read->microseconds == row.microseconds);
  }
}

TEST_CASE("a time that is not one is refused by name", "[instant]") {
  for (const char* const bad : {
           "",
           "2026-01-01T00:00:00Z",
           "2026-01-01T00:00:00.000Z",
           "2026-01-01 00:00:00.000000Z",
           "2026-01-01T00:00:00.000000z",
           "2026-01-01T00:00:00.000000+",
           "2026-02-29T00:00:00.000000Z",
           "2026-13-01T00:00:00.000000Z",
           "2026-00-01T00:00:00.000000Z",
           "2026-01-32T00:00:00.000000Z",
           "2026-01-01T24:00:00.000000Z",
           "2026-01-01T00:60:00.000000Z",
           "2026-01-01T00:00:60.000000Z",
           "2026-01-01T00:00:00.00000xZ",
           "-026-01-01T00:00:00.000000Z",
           "2026-01-01T00:00:-1.000000Z",
           "2026-01-01T00:00:00,000000Z",
       }) {
    CAPTURE(bad);
    const auto read = Instant::parse(bad);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().message == "'" + std::string(bad) + "' is not a time like 2026-01-01T00:00:00.000000Z");
  }
}

TEST_CASE("people see an instant without its fraction", "[instant]") {
  const Instant instant{1'767'225'612'500'000};
  CHECK(instant.short_text() == "2026-01-01 00:00:12Z");
  CHECK(instant.seconds() == 1767225612.5);
  CHECK(Instant{1} < Instant{2});
}

}  // namespace trainyard::instant_test
