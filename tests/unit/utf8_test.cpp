// SPDX-License-Identifier: Apache-2.0
#include "storage/values/utf8.hpp"

#include <catch2/catch.hpp>

namespace trainyard::utf8_test {

TEST_CASE("UTF-8 is what RFC 3629 says", "[utf8]") {
  struct Row {
    std::string text;
    std::size_t sequence;  // length of the first one, 0 for none
  };
  const Row rows[] = {
      {"a", 1},
      {std::string(1, '\0'), 1},
      {"\x7F", 1},
      {"\xC2\x80", 2},
      {"\xDF\xBF", 2},
      {"\xE0\xA0\x80", 3},
      {"\xED\x9F\xBF", 3},
      {"\xEE\x80\x80", 3},
      {"\xEF\xBF\xBF", 3},
      {"\xF0\x90\x80\x80", 4},
      {"\xF4\x8F\xBF\xBF", 4},
      {"\x80", 0},  // continues nothing
      {"\xBF", 0},
      {"\xC0\xAF", 0},  // '/' in two bytes
      {"\xC1\xBF", 0},
      {"\xE0\x80\xAF", 0},  // '/' in three
      {"\xE0\x9F\xBF", 0},
      {"\xF0\x80\x80\xAF", 0},  // and in four
      {"\xF0\x8F\xBF\xBF", 0},
      {"\xED\xA0\x80", 0},  // surrogates
      {"\xED\xBF\xBF", 0},
      {"\xF4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xF5\x80\x80\x80", 0},
      {"\xFF", 0},
      {"\xC3", 0},  // cut short
      {"\xE2\x82", 0},
      {"\xF0\x9F\x98", 0},
      {"\xC3(", 0},
      {"\xE2\x82(", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(utf8_sequence(row.text) == row.sequence);
    CHECK(is_utf8(row.text) == (row.sequence != 0));
    CHECK(is_utf8("x" + row.text + "y") == (row.sequence != 0));
  }
  CHECK(utf8_sequence("") == 0);
  CHECK(is_utf8(""));
}

TEST_CASE("a prefix is cut between characters", "[utf8]") {
  const std::string text = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z";
  CHECK(utf8_prefix(text, 0).empty());
  CHECK(utf8_prefix(text, 2) == "a\xC3\xBC");
  CHECK(utf8_prefix(text, 3) == "a\xC3\xBC\xE2\x82\xAC");
  CHECK(utf8_prefix(text, 4) == "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80");
  CHECK(utf8_prefix(text, 99) == text);
}

TEST_CASE("what is not UTF-8 is replaced byte by byte", "[utf8]") {
  CHECK(utf8_cleaned("plain \xC3\xBC") == "plain \xC3\xBC");
  CHECK(utf8_cleaned("a\xFF"
                     "b\xE2\x82") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(is_utf8(utf8_cleaned("\xED\xA0\x80\xC0")));
}

TEST_CASE("nothing that a stranger says can move the cursor", "[utf8]") {
  CHECK(printable("\x1B[2Jgone\r\nnext\x7F") == "?[2Jgone??next?");
  CHECK(printable("a\tb") == "a\tb");
  CHECK(printable("broken \xFF") == "broken \xEF\xBF\xBD");
  CHECK(printable("\xC2\x9B"
                  "2J \xC2\x80 \xC2\x9F \xC2\xA0") == "?2J ? ? \xC2\xA0");
}

}  // namespace trainyard::utf8_test
