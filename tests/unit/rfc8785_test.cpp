// SPDX-License-Identifier: Apache-2.0
#include "storage/values/rfc8785.hpp"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace trainyard::rfc8785_test {

TEST_CASE("numbers are written as the table of RFC 8785, appendix B, has them", "[rfc8785]") {
  const std::vector<std::pair<std::uint64_t, std::string>> table = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : table) CHECK(canonical_json(std::bit_cast<double>(bits)).value() == text);
  for (const std::uint64_t bits : {0x7fffffffffffffffU, 0x7ff0000000000000U, 0xfff0000000000000U})
    CHECK(canonical_json(std::bit_cast<double>(bits)).error().code == Errc::invalid);
  CHECK(canonical_json(1.0).value() == "1");
  CHECK(canonical_json(100.5).value() == "100.5");
  CHECK(canonical_json(1e-7).value() == "1e-7");
  CHECK(canonical_json(0.93).value() == "0.93");
}

TEST_CASE("whole numbers are exact or refused", "[rfc8785]") {
  CHECK(canonical_json(0).value() == "0");
  CHECK(canonical_json(-17).value() == "-17");
  CHECK(canonical_json(9007199254740992).value() == "9007199254740992");
  CHECK(canonical_json(-9007199254740992).value() == "-9007199254740992");
  CHECK(canonical_json(9007199254740994).value() == "9007199254740994");
  CHECK(canonical_json(1000000000000000000).value() == "1000000000000000000");
  CHECK(canonical_json(parse_json(canonical_json(std::ldexp(1, 63)).value(), "it").value()).value() ==
        canonical_json(std::ldexp(1, 63)).value());
  CHECK(canonical_json(9007199254740993).error().code == Errc::invalid);
  CHECK(canonical_json(-9007199254740993).error().code == Errc::invalid);
  CHECK(canonical_json(std::numeric_limits<std::uint64_t>::max()).error().code == Errc::invalid);
  CHECK(canonical_json(std::numeric_limits<std::int64_t>::min()).error().code == Errc::invalid);
}

TEST_CASE("the samples of RFC 8785 come out as they stand there", "[rfc8785]") {
  const auto rewritten = [](const std::string& text) { return canonical_json(parse_json(text, "it").value()).value(); };
  // Section 3.2.2.
  CHECK(rewritten(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })") ==
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  // Section 3.2.3: a character above U+FFFF comes before U+FB33, because its first code unit is a surrogate.
  CHECK(rewritten(R"({
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  })") ==
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\",\"\xC3\xB6\":\"Latin Small Letter O With "
        "Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\",\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":"
        "\"Hebrew Letter Dalet With Dagesh\"}");
  CHECK(rewritten(R"({"b":[],"a":{},"ab":[[1],[]],"":{"x":{}}})") == R"({"":{"x":{}},"a":{},"ab":[[1],[]],"b":[]})");
}

TEST_CASE("text that is not UTF-8 has no canonical form", "[rfc8785]") {
  CHECK(canonical_json(Json("\xFF")).error().code == Errc::invalid);
  CHECK(canonical_json(Json{{"a\xC3", 1}}).error().code == Errc::invalid);
  CHECK(canonical_json(Json::array({Json("\xED\xA0\x80")})).error().code == Errc::invalid);
}

TEST_CASE("where only texts and whole numbers occur, both canonical forms are one", "[rfc8785]") {
  const Json json = {{"b", {1, -2, "x\n\x7F\x01/"}}, {"a", {{"c", nullptr}, {"B", true}}}};
  CHECK(canonical_json(json).value() == canonical(json));
}

}  // namespace trainyard::rfc8785_test
