// SPDX-License-Identifier: Apache-2.0
#include "storage/values/dataset_reference.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace trainyard::dataset_reference_test {
namespace {

std::string refusal(const std::string& text) {
  const auto reference = DatasetReference::parse(text);
  CHECK_FALSE(reference.ok());
  if (reference.ok()) return "";
  CHECK(reference.error().code == Errc::invalid);
  return reference.error().message;
}

}  // namespace

TEST_CASE("a reference to a dataset is read and written in one way", "[dataset_reference]") {
  struct Row {
    std::string text;
    std::string name;
    std::optional<std::uint32_t> number;
    std::string folder;  // its bytes; empty for none
  };
  const std::vector<Row> rows = {
      {"digits", "digits", {}, ""},
      {"digits@1", "digits", 1, ""},
      {"digits@4294967295", "digits", 4294967295U, ""},
      {"digits/training", "digits", {}, "training"},
      {"digits@3/training", "digits", 3, "training"},
      {"digits@3/a/b c/d", "digits", 3, "a/b c/d"},
      {"digits/at@2", "digits", {}, "at@2"},
      {"digits@2/@", "digits", 2, "@"},
      {"D.2026-11_raw", "D.2026-11_raw", {}, ""},
      {"x", "x", {}, ""},
      {std::string(64, 'x'), std::string(64, 'x'), {}, ""},
      {"a..", "a..", {}, ""},
      {"digits/100%25", "digits", {}, "100%"},
      {"digits/%FF", "digits", {}, "\xFF"},
      {"digits/...", "digits", {}, "..."},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto reference = DatasetReference::parse(row.text);
    REQUIRE(reference.ok());
    CHECK(reference->name.text() == row.name);
    CHECK(reference->number == row.number);
    CHECK((reference->folder ? reference->folder->bytes() : "") == row.folder);
    CHECK(reference->text() == row.text);
  }
}

TEST_CASE("what is no reference to a dataset is refused, with the part that is wrong", "[dataset_reference]") {
  const std::string rule = " is not a dataset name: 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter";
  for (const std::string name : {"", "1st", ".hidden", "-x", "_x", "my data", "a:b", "übung", "a\n", "..", "a\\b"}) {
    CAPTURE(name);
    CHECK(refusal(name) == "'" + name + "'" + rule);
    CHECK(refusal(name + "@1") == "'" + name + "'" + rule);
    CHECK(refusal(name + "/x") == "'" + name + "'" + rule);
  }
  CHECK(refusal(std::string(65, 'x')) == "'" + std::string(65, 'x') + "'" + rule);
  CHECK(refusal("/digits") == "''" + rule);
  for (const std::string number : {"", "0", "01", "-1", "+1", "1.0", "x", "3x", " 3", "4294967296", "1@2"}) {
    CAPTURE(number);
    CHECK(refusal("digits@" + number) ==
          "'" + number + "' is not the number of a dataset's version: a whole number from 1, such as 3");
  }
  CHECK(refusal("digits/") == "the folder in 'digits/': a path is empty");
  CHECK(refusal("digits@3/") == "the folder in 'digits@3/': a path is empty");
  for (const std::string folder : {"..", "a/../b", ".", "a//b", "a/", "/a", "100%", "%2F", "%2f", "\xFF"}) {
    CAPTURE(folder);
    CHECK_THAT(refusal("digits@3/" + folder), Catch::StartsWith("the folder in 'digits@3/" + folder + "': the path"));
  }
}

TEST_CASE("names of datasets that differ only in case are folded to one", "[dataset_reference]") {
  CHECK(DatasetName::parse("Digits.RAW_2-A").value().folded() == "digits.raw_2-a");
}

}  // namespace trainyard::dataset_reference_test
