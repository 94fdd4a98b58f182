// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/registry.hpp"
#include "storage/values/sha256.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/temp_folder.hpp"

namespace trainyard::registry_test {
namespace {

struct Registered {
  TempFolder folder;
  Path packages = folder.folder("packages");
  Path scratch = folder.folder("tmp");
  PackageRegistry registry{packages, StoreJournal(folder.path(), scratch)};
};

RunId run(std::uint8_t number) {
  std::array<std::uint8_t, 10> random{};
  random[9] = number;
  return RunId::from(Instant{0}, random);
}

VersionDraft draft(const char* name, std::optional<PackageVersion> parent = {}, std::optional<RunId> by = {}) {
  return {PackageName::parse(name).value(),
          Instant{7},
          parent,
          by,
          {sha256(name), 1, 2},
          {sha256("zip"), 3},
          {Runtime::native, 1, 0, "g++", {Verb::train}},
          "note"};
}

PackageReference reference(const char* text) { return PackageReference::parse(text).value(); }

std::vector<std::string> texts(const std::vector<VersionRecord>& records) {
  std::vector<std::string> all;
  for (const VersionRecord& record : records) all.push_back(record.version.text());
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a version that is taken away while it is looked for is passed by", "[registry]") {
  const Registered r;
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  // Listed, and gone when it is opened.
  boost::filesystem::create_symlink("nowhere", r.packages / "digits" / "1.1.json");
  boost::filesystem::create_directory(r.packages / "wine");
  boost::filesystem::create_symlink("nowhere", r.packages / "wine" / "1.0.json");
  CHECK(texts(r.registry.versions(PackageName::parse("digits").value()).value()) == Texts{"1.0"});
  CHECK(r.registry.find(reference("digits")).value().version == PackageVersion{1, 0});
  CHECK(r.registry.names().value().size() == 1);
  CHECK(r.registry.find(reference("wine")).error().message == "there is no package 'wine'");
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).value().version == PackageVersion{1, 2});
}

TEST_CASE("an upload makes the next major, a run the next minor of its parent's major", "[registry]") {
  const Registered r;
  CHECK(r.registry.publish_major(draft("digits")).value().version == PackageVersion{1, 0});
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).value().version == PackageVersion{1, 1});
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).value().version == PackageVersion{1, 2});
  CHECK(r.registry.publish_major(draft("digits")).value().version == PackageVersion{2, 0});
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{1, 1})).value().version == PackageVersion{1, 3});
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{2, 0})).value().version == PackageVersion{2, 1});
  CHECK(r.registry.publish_major(draft("digits")).value().version == PackageVersion{3, 0});
  CHECK(texts(r.registry.versions(PackageName::parse("digits").value()).value()) ==
        Texts{"1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "3.0"});
  CHECK(list_folder(r.scratch).value().empty());
}

TEST_CASE("versions are ordered as numbers", "[registry]") {
  const Registered r;
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  for (int i = 0; i < 11; ++i) REQUIRE(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).ok());
  const auto records = r.registry.versions(PackageName::parse("digits").value()).value();
  CHECK(texts(records).at(9) == "1.9");
  CHECK(texts(records).at(10) == "1.10");
  CHECK(r.registry.find(reference("digits")).value().version.text() == "1.11");
  CHECK(r.registry.find(reference("digits@1.1")).value().version.text() == "1.1");
}

TEST_CASE("any number of runs publish at once, and no number is given twice or left out", "[registry][threads]") {
  const Registered r;
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  std::vector<std::vector<std::uint32_t>> minors(8);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : minors) {
      threads.emplace_back([&] {
        const PackageRegistry registry(r.packages, StoreJournal(r.folder.path(), r.scratch));
        for (int i = 0; i < 10; ++i) {
          const auto record = registry.publish_minor(draft("digits", PackageVersion{1, 0}));
          mine.push_back(record.ok() ? record->version.minor : 0);
        }
      });
    }
  }
  std::vector<std::uint32_t> all;
  for (const auto& mine : minors) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == 80);
  for (std::uint32_t i = 0; i < 80; ++i) CHECK(all[i] == i + 1);
  CHECK(r.registry.versions(PackageName::parse("digits").value()).value().size() == 81);
}

TEST_CASE("first uploads at once make different majors", "[registry][threads]") {
  const Registered r;
  std::vector<std::uint32_t> majors(6, 0);
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t& major : majors) {
      threads.emplace_back([&] {
        const auto record =
            PackageRegistry(r.packages, StoreJournal(r.folder.path(), r.scratch)).publish_major(draft("digits"));
        if (record.ok() && record->version.minor == 0) major = record->version.major;
      });
    }
  }
  std::sort(majors.begin(), majors.end());
  CHECK(majors == std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("names that differ only in case are one package", "[registry]") {
  const Registered r;
  REQUIRE(r.registry.publish_major(draft("Digits")).ok());
  for (const char* const name : {"digits", "DIGITS"}) {
    const auto refused = r.registry.publish_major(draft(name));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error() ==
          fail(Errc::exists, "the package 'Digits' exists, and '" + std::string(name) +
                                 "' differs from it only in upper and lower case; choose another name"));
  }
  REQUIRE(r.registry.publish_major(draft("Digits")).ok());
  CHECK(list_folder(r.packages).value() == Texts{"digits"});
  REQUIRE(r.registry.publish_major(draft("words")).ok());
  const auto names = r.registry.names().value();
  REQUIRE(names.size() == 2);
  CHECK(names[0].text() == "Digits");
  CHECK(names[1].text() == "words");
}

TEST_CASE("what is not there is named, with what is nearest", "[registry]") {
  const Registered r;
  CHECK(r.registry.names().value().empty());
  CHECK(r.registry.find(reference("digits")).error() == fail(Errc::not_found, "there is no package 'digits'"));
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  CHECK(r.registry.find(reference("digit@1.0")).error() ==
        fail(Errc::not_found, "there is no package 'digit'; did you mean 'digits'?"));
  CHECK(r.registry.find(reference("digits@1.7")).error() ==
        fail(Errc::not_found, "package 'digits' has no version 1.7; its newest is 1.0"));
}

TEST_CASE("the version that a run made is found again", "[registry]") {
  const Registered r;
  const PackageName name = PackageName::parse("digits").value();
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  REQUIRE(r.registry.publish_minor(draft("digits", PackageVersion{1, 0}, run(1))).ok());
  REQUIRE(r.registry.publish_minor(draft("digits", PackageVersion{1, 0}, run(2))).ok());
  CHECK(r.registry.made_by(name, run(2)).value()->version == PackageVersion{1, 2});
  CHECK_FALSE(r.registry.made_by(name, run(3)).value().has_value());
}

TEST_CASE("a record is one file, whole and read-only", "[registry]") {
  const Registered r;
  const VersionRecord record = r.registry.publish_major(draft("Digits")).value();
  const Path path = r.packages / "digits" / "1.0.json";
  CHECK(read_file(path, 10'000).value() == canonical(to_json(record)) + "\n");
  CHECK((status_of(path).value()->st_mode & 07777U) == 0444);
}

TEST_CASE("a record that cannot be trusted is named", "[registry]") {
  const Registered r;
  const VersionRecord record = r.registry.publish_major(draft("digits")).value();
  const std::string shown = "the record '" + (r.packages / "digits" / "1.0.json").string() + "' ";
  const auto refusal = [&](const std::string& text) {
    static_cast<void>(remove_file(r.packages / "digits" / "1.0.json"));
    r.folder.write("packages/digits/1.0.json", text);
    const auto found = r.registry.find(reference("digits@1.0"));
    REQUIRE_FALSE(found.ok());
    return found.error();
  };
  const std::string good = canonical(to_json(record));
  CHECK(refusal(good.substr(0, 100)) ==
        fail(Errc::corrupt, shown + "cannot be read: the version record is not valid JSON near line 1"));
  CHECK(refusal("") == fail(Errc::corrupt, shown + "cannot be read: the version record is not valid JSON near line 1"));
  VersionRecord other = record;
  other.version = {1, 5};
  CHECK(refusal(canonical(to_json(other))) == fail(Errc::corrupt, shown + "says that it is version 1.5"));
  Json newer = to_json(record);
  newer["schema"] = "trainyard.version/9";
  CHECK(refusal(canonical(newer)).code == Errc::incompatible);
  CHECK_FALSE(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).ok());
}

TEST_CASE("a number is not used again when files that are no records lie about", "[registry]") {
  const Registered r;
  REQUIRE(r.registry.publish_major(draft("digits")).ok());
  r.folder.write("packages/digits/readme.txt", "x");
  r.folder.write("packages/digits/1.01.json", "x");
  CHECK(r.registry.publish_minor(draft("digits", PackageVersion{1, 0})).value().version == PackageVersion{1, 1});
}

}  // namespace trainyard::registry_test
