// SPDX-License-Identifier: Apache-2.0
// Archives that mean harm, at every door: each is refused by the name of its entry, and nothing is left of it.
#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"
#include "tests/unit/hostile_archives.hpp"
#include "tests/unit/hostile_zips.hpp"

namespace trainyard::hostile_archives_test {
namespace {

// All that is in a folder: names of files and folders, and the bytes of the files.
struct Inventory {
  std::set<std::string> names;
  std::map<std::string, std::string> bytes;

  explicit Inventory(const Path& folder) : bytes(contents(folder)) {
    for (const auto& [name, print] : fingerprint(folder)) names.insert(name);
  }
  friend bool operator==(const Inventory&, const Inventory&) = default;
};

// A store with a package and a dataset in it, beside which an archive lies.
class Doors {
 public:
  Doors() {
    store_.temp().write("data/one.csv", "1\n");
    store_.add("counts");
    store_.must({"dataset", "add", "numbers", (store_.temp().path() / "data").string()});
    before_.emplace(store_.temp().path());
  }

  // What is told when the arguments bring these bytes as the file `name`; "" when anything else is wrong.
  std::string refusal(Arguments arguments, const std::string& name, const std::string& bytes) {
    const Path archive = store_.temp().write(name, bytes);
    std::replace(arguments.begin(), arguments.end(), std::string("ARCHIVE"), archive.string());
    const ProgramOutput output = store_.run(arguments);
    boost::filesystem::remove(archive);
    CHECK(output.status.code == 2);
    CHECK(output.out == "");
    CHECK(std::count(output.err.begin(), output.err.end(), '\n') == 1);
    const bool nothing_left = Inventory(store_.temp().path()) == *before_;
    CHECK(nothing_left);
    return output.err;
  }

 private:
  TestStore store_;
  std::optional<Inventory> before_;
};

// A rule about the zip as a whole has no entry to name.
bool is_about_the_whole(const std::string& phrase) {
  const std::array<const char*, 4> starts = {"it ", "its ", "lie before", "is one part of a zip"};
  return std::any_of(starts.begin(), starts.end(), [&](const char* start) { return phrase.starts_with(start); });
}

void check_zip(const HostileZip& zip, const std::string& told) {
  CHECK_THAT(told, Catch::Contains(" is refused: ") && Catch::Contains(zip.phrase));
  if (!is_about_the_whole(zip.phrase)) CHECK_THAT(told, Catch::Contains("the entry '"));
}

TEST_CASE("A hostile zip is no package, and nothing is left of it") {
  Doors doors;
  for (const HostileZip& zip : hostile_zips()) {
    CAPTURE(zip.what);
    check_zip(zip, doors.refusal({"package", "add", "ARCHIVE"}, "evil.zip", zip.bytes));
  }
}

TEST_CASE("A hostile zip passes at no other door for packages") {
  const auto arguments = GENERATE(Arguments({"package", "validate", "ARCHIVE"}),
                                  Arguments({"package", "add", "ARCHIVE", "--name", "counts"}));
  Doors doors;
  const std::vector<HostileZip> zips = hostile_zips();
  for (std::size_t i = 0; i < zips.size(); i += 7) {
    CAPTURE(arguments, zips[i].what);
    check_zip(zips[i], doors.refusal(arguments, "evil.zip", zips[i].bytes));
  }
}

TEST_CASE("A hostile archive is no dataset, and nothing is left of it") {
  Doors doors;
  for (const HostileArchive& archive : hostile_archives()) {
    CAPTURE(archive.what);
    const std::string told = doors.refusal({"dataset", "add", "numbers", "ARCHIVE"}, "evil.tar", archive.bytes);
    CHECK_THAT(told, Catch::Contains("evil.tar' is refused: " + archive.sentence));
  }
}

TEST_CASE("A hostile archive starts no run") {
  Doors doors;
  const std::vector<HostileArchive> archives = hostile_archives();
  for (std::size_t i = 0; i < archives.size(); i += 7) {
    CAPTURE(archives[i].what);
    const std::string told =
        doors.refusal({"run", "training", "counts", "--dataset", "ARCHIVE"}, "evil.tar", archives[i].bytes);
    CHECK_THAT(told, Catch::Contains("evil.tar' is refused: " + archives[i].sentence));
  }
}

}  // namespace
}  // namespace trainyard::hostile_archives_test
