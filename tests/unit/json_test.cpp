// SPDX-License-Identifier: Apache-2.0
#include "storage/values/json.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "storage/values/digest.hpp"
#include "storage/values/limits.hpp"

namespace trainyard::json_test {
namespace {

std::string refusal(const std::string& text) {
  const auto json = parse_json(text, "the note");
  return json.ok() ? "" : json.error().message;
}

std::string nested(std::size_t levels, const std::string& inside = "") {
  return std::string(levels, '[') + inside + std::string(levels, ']');
}

}  // namespace

TEST_CASE("JSON is read strictly", "[json]") {
  CHECK(refusal(R"({"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]})").empty());
  CHECK(refusal(R"({"a":1,"a":2})") == "the note has the key 'a' twice");
  CHECK(refusal(R"([{"b":{"a":1,"c":2,"a":3}}])") == "the note has the key 'a' twice");
  CHECK(refusal(R"({"a":1,"\u0061":2})") == "the note has the key 'a' twice");
  for (const char* const bad : {"", " ", "{", "{}{}", "{} x", "[1,]", "{\"a\":1,}", "{'a':1}", "// no\n{}",
                                "/* no */{}", "NaN", "[Infinity]", "01", "\"\xFF\"", "\"\xC0\xAF\"", "\"\n\"", "nul"}) {
    CAPTURE(bad);
    CHECK(refusal(bad).find("the note is not valid JSON near line ") == 0);
  }
  CHECK(refusal("{\n\"a\": 1,\n\"b\": }") == "the note is not valid JSON near line 3");
  CHECK_FALSE(refusal("1e999").empty());
}

TEST_CASE("JSON is read to a bounded depth", "[json]") {
  CHECK(refusal(nested(limits::kJsonDepth)).empty());
  CHECK(refusal(nested(limits::kJsonDepth, "1")).empty());
  CHECK(refusal(nested(limits::kJsonDepth + 1)) == "the note is nested too deeply");
  CHECK(refusal(nested(1'000'000)) == "the note is nested too deeply");
  std::string objects;
  for (std::size_t i = 0; i <= limits::kJsonDepth; ++i) objects += R"({"a":)";
  CHECK(refusal(objects + "1" + std::string(limits::kJsonDepth + 1, '}')) == "the note is nested too deeply");
}

TEST_CASE("JSON is written in one form", "[json]") {
  const Json json = {{"b", {1, 2}}, {"a", "\xC3\xBC\n\"\\"}, {"c", nullptr}, {"\x01", 0.1}};
  CHECK(canonical(json) == "{\"\\u0001\":0.1,\"a\":\"\xC3\xBC\\n\\\"\\\\\",\"b\":[1,2],\"c\":null}");
  CHECK(readable({{"b", Json::array()}, {"a", true}}) == "{\n  \"a\": true,\n  \"b\": []\n}\n");
  CHECK(canonical(Json("a\xFF")) == "\"a\xEF\xBF\xBD\"");
}

TEST_CASE("fields keep the first mistake and name the key", "[json]") {
  struct Row {
    const char* text;
    const char* message;  // empty: all is well
  };
  const Row rows[] = {
      {R"({"schema":"trainyard.note/1","text":"x","count":3})", ""},
      {R"({"schema":"trainyard.note/1","count":3})", "the note has no key 'text'"},
      {R"({"schema":"trainyard.note/1","text":1,"count":"x"})", "the note, key 'text': is not a text"},
      {R"({"schema":"trainyard.note/1","text":"x","count":-1})", "the note, key 'count': is not between 0 and 9"},
      {R"({"schema":"trainyard.note/1","text":"x","count":10})", "the note, key 'count': is not between 0 and 9"},
      {R"({"schema":"trainyard.note/1","text":"x","count":18446744073709551615})",
       "the note, key 'count': is not between 0 and 9"},
      {R"({"schema":"trainyard.note/1","text":"x","count":99999999999999999999})",
       "the note, key 'count': is not a whole number"},
      {R"({"schema":"trainyard.note/1","text":"x","count":3.0})", "the note, key 'count': is not a whole number"},
      {R"({"schema":"trainyard.note/1","text":"x","count":true})", "the note, key 'count': is not a whole number"},
      {R"({"schema":"trainyard.note/1","text":"x","count":null})", "the note, key 'count': is not a whole number"},
      {R"({"schema":"trainyard.note/1","text":"x","count":3,"counts":4})",
       "the note has an unknown key 'counts'; did you mean 'count'?"},
      {R"({"schema":"trainyard.note/1","text":"x","count":3,"zebra":4})", "the note has an unknown key 'zebra'"},
      {R"({"schema":"trainyard.note/2","text":"x","count":3})",
       "the note has schema 'trainyard.note/2' but this Trainyard reads 'trainyard.note/1'"},
      {R"({"schema":"trainyard.tree/1","text":"x","count":3})",
       "the note, key 'schema': is 'trainyard.tree/1' where 'trainyard.note/1' is wanted"},
      {R"([])", "the note is not a JSON object"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Json json = parse_json(row.text, "the note").value();
    Fields fields(json, "the note");
    fields.schema("trainyard.note/1");
    static_cast<void>(fields.text("text"));
    static_cast<void>(fields.integer("count", 0, 9));
    const auto finished = fields.finish();
    CHECK((finished.ok() ? "" : finished.error().message) == row.message);
    const bool newer = std::string(row.text).find("note/2") != std::string::npos;
    if (!finished.ok()) CHECK(finished.error().code == (newer ? Errc::incompatible : Errc::invalid));
  }
}

TEST_CASE("null stands for nothing, and only where it may", "[json]") {
  const Json json = {{"a", nullptr}, {"b", "x"}, {"c", 1.5}, {"d", true}, {"e", Json::object()}};
  Fields fields(json, "the note");
  CHECK(fields.optional_text("a") == std::nullopt);
  CHECK(fields.optional_text("b") == "x");
  CHECK(fields.nullable("a") == nullptr);
  CHECK(fields.nullable("c") != nullptr);
  CHECK(fields.number("c") == 1.5);
  CHECK(fields.boolean("d"));
  CHECK(fields.object("e").empty());
  CHECK(fields.parsed_or_null("a", Digest::parse) == std::nullopt);
  CHECK(fields.good());
  CHECK(fields.finish().ok());
  CHECK(fields.parsed("b", Digest::parse) == std::nullopt);
  CHECK(fields.finish().error().message == "the note, key 'b': 'x' is not a SHA-256 of 64 hexadecimal digits");
}

TEST_CASE("unknown keys can be ignored", "[json]") {
  const Json json = {{"a", "x"}, {"new", 1}};
  Fields fields(json, "the note", UnknownKeys::ignore);
  CHECK(fields.text("a") == "x");
  CHECK(fields.finish().ok());
}

}  // namespace trainyard::json_test
