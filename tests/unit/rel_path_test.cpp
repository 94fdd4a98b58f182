// SPDX-License-Identifier: Apache-2.0
#include "storage/values/rel_path.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace trainyard::rel_path_test {
namespace {

RelPath path(std::string_view text) { return RelPath::parse(text).value(); }

}  // namespace

TEST_CASE("a path that could leave its folder is not a RelPath", "[rel_path]") {
  using namespace std::string_literals;
  const std::string attacks[] = {
      "",
      "/",
      "/etc/passwd",
      "//a",
      ".",
      "..",
      "../a",
      "a/..",
      "a/../b",
      "a/../../b",
      "a/./b",
      "./a",
      "a/.",
      "a//b",
      "a/",
      "a/b/",
      "\0"s,
      "a\0b"s,
      "../"s + "a\0"s,
      std::string(256, 'a'),
      "a/" + std::string(256, 'b') + "/c",
  };
  for (const std::string& attack : attacks) {
    CAPTURE(attack);
    const auto parsed = RelPath::parse(attack);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == Errc::invalid);
  }
  std::string deep;
  while (deep.size() < 4096) deep += "abcdefg/";
  deep.pop_back();
  CHECK(deep.size() == 4095);
  CHECK(RelPath::parse(deep).ok());
  CHECK(RelPath::parse(deep + "x").ok());
  CHECK_FALSE(RelPath::parse(deep + "xy").ok());
}

TEST_CASE("a refusal of a path names it and the rule", "[rel_path]") {
  CHECK(RelPath::parse("/etc/passwd").error().message ==
        "the path '/etc/passwd' is absolute; give one relative to its folder");
  CHECK(RelPath::parse("a/../b").error().message == "the path 'a/../b' has '..' in it, so it could leave its folder");
  CHECK(RelPath::parse("a//b").error().message == "the path 'a//b' has an empty name in it");
  CHECK(RelPath::parse("\xFF//b").error().message == "the path '%FF//b' has an empty name in it");
}

TEST_CASE("names that only look dangerous are fine", "[rel_path]") {
  for (const char* const name :
       {"...", "..a", "a..", ".hidden", "a b", "C:", "a\\b", "~", "-rf", "a\nb", "%2e%2e", "\xC3\xBC", "\xFF\xFE"}) {
    CAPTURE(name);
    const auto parsed = RelPath::parse(name);
    REQUIRE(parsed.ok());
    CHECK(parsed->bytes() == name);
  }
  CHECK(RelPath::parse(std::string(255, 'a')).ok());
}

TEST_CASE("each path has one text and each text one path", "[rel_path]") {
  struct Row {
    const char* bytes;
    const char* text;
  };
  const Row rows[] = {{"a/b.csv", "a/b.csv"},       {"100%", "100%25"}, {"a%2Fb", "a%252Fb"},
                      {"\xC3\xBC", "\xC3\xBC"},     {"\xFF", "%FF"},    {"x\xC3/y", "x%C3/y"},
                      {"\xED\xA0\x80", "%ED%A0%80"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(path(row.bytes).text() == row.text);
    const auto read = RelPath::from_text(row.text);
    REQUIRE(read.ok());
    CHECK(read->bytes() == row.bytes);
  }
  for (const char* const text :
       {"100%", "a%2", "a%zz", "%ff", "%41", "a%2Fb", "%2E%2E", "%00", "%C3%BC", "\xFF", "../a", "%2E%2E/a", ""}) {
    CAPTURE(text);
    CHECK_FALSE(RelPath::from_text(text).ok());
  }
}

TEST_CASE("a path knows its name, its children and its folders", "[rel_path]") {
  CHECK(path("a/b/c").name() == "c");
  CHECK(path("c").name() == "c");
  CHECK(path("a/b").is_within(path("a")));
  CHECK(path("a").is_within(path("a")));
  CHECK_FALSE(path("ab").is_within(path("a")));
  CHECK_FALSE(path("a").is_within(path("a/b")));
  CHECK(path("a").child("b").value() == path("a/b"));
  CHECK_FALSE(path("a").child("..").ok());
  CHECK_FALSE(path("a").child("").ok());
  CHECK(path("a-b") < path("a/b"));
  CHECK(path("Z") < path("a"));
}

}  // namespace trainyard::rel_path_test
