// SPDX-License-Identifier: Apache-2.0
#include "storage/values/names.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace trainyard::names_test {
namespace {

PackageVersion version(const char* text) { return PackageVersion::parse(text).value(); }

std::array<std::uint8_t, 10> bytes(std::uint8_t value) {
  std::array<std::uint8_t, 10> filled;
  filled.fill(value);
  return filled;
}

}  // namespace

TEST_CASE("package names", "[names]") {
  for (const std::string& good : {std::string("a"), std::string("digits"), std::string("Digits_2-b"),
                                  std::string("Import"), std::string("x") + std::string(63, 'y')}) {
    CAPTURE(good);
    REQUIRE(PackageName::parse(good).ok());
    CHECK(PackageName::parse(good)->text() == good);
  }
  for (const std::string& bad :
       {std::string(), std::string("2a"), std::string("_a"), std::string("-a"), std::string("a b"), std::string("a.b"),
        std::string("a/b"), std::string(".."), std::string("\xC3\xBC"), std::string("a\n"), std::string("a\0b", 3),
        std::string(65, 'y')}) {
    CAPTURE(bad);
    REQUIRE_FALSE(PackageName::parse(bad).ok());
    CHECK(PackageName::parse(bad).error().code == Errc::invalid);
  }
  CHECK(PackageName::parse("a b").error().message ==
        "'a b' is not a package name: 1 to 64 letters, digits, '_' or '-', beginning with a letter");
  CHECK(PackageName::parse("import").error().message ==
        "'import' cannot be a package name because it is a Python keyword");
  for (const char* const keyword : {"False", "None", "True", "class", "yield", "async", "lambda"})
    CHECK_FALSE(PackageName::parse(keyword).ok());
  CHECK(PackageName::parse("DiGiTs")->folded() == "digits");
}

TEST_CASE("versions are two whole numbers, not a decimal", "[names]") {
  CHECK(version("1.9") < version("1.10"));
  CHECK(version("1.10") < version("2.0"));
  CHECK(version("9.99") < version("10.0"));
  CHECK(version("1.1") != version("1.10"));
  CHECK(version("4294967295.4294967295").text() == "4294967295.4294967295");
  for (const char* const bad : {"", "1", "1.", ".1", "1.0.0", "0.1", "01.0", "1.00", "1.01", "+1.0", "1.-1", "-1.0",
                                "1 .0", "1. 0", "v1.0", "1,0", "1.0\n", "4294967296.0", "1.x"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(PackageVersion::parse(bad).ok());
    CHECK(PackageVersion::parse(bad).error().message ==
          "'" + std::string(bad) + "' is not a version: two whole numbers joined by a dot, such as 1.0");
  }
}

TEST_CASE("a package is referred to with or without a version", "[names]") {
  const auto newest = PackageReference::parse("digits");
  REQUIRE(newest.ok());
  CHECK_FALSE(newest->version);
  CHECK(newest->text() == "digits");
  const auto one = PackageReference::parse("digits@1.10");
  REQUIRE(one.ok());
  CHECK(one->version == version("1.10"));
  CHECK(one->text() == "digits@1.10");
  const auto labelled = PackageReference::parse("digits@production");
  REQUIRE(labelled.ok());
  CHECK_FALSE(labelled->version);
  CHECK(labelled->label->text() == "production");
  CHECK(labelled->text() == "digits@production");
  for (const char* const bad : {"", "@1.0", "digits@", "digits@1", "digits@1.0@2.0", "digits@1.0-rc", "digits@-x"})
    CHECK_FALSE(PackageReference::parse(bad).ok());
}

TEST_CASE("a run id is a UUID of version 7 and sorts by time", "[names]") {
  const Instant first = Instant::parse("2026-01-01T00:00:00.000000Z").value();
  const RunId low = RunId::from(first, bytes(0xFF));
  CHECK(low.text() == "019b76da-a800-7fff-bfff-ffffffffffff");
  CHECK(RunId::from(first, bytes(0)).text() == "019b76da-a800-7000-8000-000000000000");
  CHECK(low < RunId::from({first.microseconds + 1000}, bytes(0)));
  CHECK(RunId::parse(low.text()).value() == low);
  CHECK(low.began() == first);
  for (const char* const bad : {"", "019b76da-a800-7fff-bfff-fffffffffff", "019B76DA-A800-7FFF-BFFF-FFFFFFFFFFFF",
                                "019b76da-a800-4fff-bfff-ffffffffffff", "019b76da_a800_7fff_bfff_ffffffffffff",
                                "../../../../../../../../../../etc/pw", "019b76da-a800-7fff-bfff-ffffffffffff0"}) {
    CAPTURE(bad);
    CHECK_FALSE(RunId::parse(bad).ok());
  }
}

TEST_CASE("run names", "[names]") {
  for (const std::string& good :
       {std::string("a"), std::string("7"), std::string("digits-nightly"), std::string("a--b"), std::string(63, 'x')})
    CHECK(RunName::parse(good).ok());
  for (const std::string& bad : {std::string(), std::string("-a"), std::string("a-"), std::string("a_b"),
                                 std::string("a b"), std::string(64, 'x')}) {
    CAPTURE(bad);
    CHECK_FALSE(RunName::parse(bad).ok());
  }
  const RunId run = RunId::from({0}, bytes(0xAB));
  CHECK(RunName::made_up(PackageName::parse("my_package").value(), run).text() == "my-package-abababab");
  for (const std::string& package : {std::string("x") + std::string(63, '_'), std::string("a-"), std::string("Z")}) {
    CAPTURE(package);
    CHECK(RunName::parse(RunName::made_up(PackageName::parse(package).value(), run).text()).ok());
  }
}

TEST_CASE("metric names", "[names]") {
  for (const std::string& good :
       {std::string("loss"), std::string("7"), std::string("_"), std::string("val-loss_2"), std::string(64, 'm')})
    CHECK(is_metric_name(good));
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a.b"), std::string("\xC3\xBC"), std::string(65, 'm')})
    CHECK_FALSE(is_metric_name(bad));
}

TEST_CASE("the nearest name is offered, and a far one is not", "[names]") {
  const std::vector<std::string> names = {"digits", "letters", "words"};
  CHECK(nearest("digit", names) == "digits");
  CHECK(nearest("DIGITS", names) == "digits");
  CHECK(nearest("lettres", names) == "letters");
  CHECK(nearest("x", names) == std::nullopt);
  CHECK(nearest("faces", names) == std::nullopt);
  CHECK(nearest("digits", {}) == std::nullopt);
  CHECK(did_you_mean("wrods", names).empty());
  CHECK(did_you_mean("word", names) == "; did you mean 'words'?");
}

}  // namespace trainyard::names_test
