// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/snapshots.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.hpp"

namespace trainyard::snapshots_test {
namespace {

Snapshot snapshot(const std::string& hex, std::int64_t time, const std::string& source = "/data") {
  return {{Digest::parse(hex).value(), 3, 30}, Instant{time}, source, std::nullopt};
}

struct Records {
  TempFolder folder;
  Snapshots snapshots{folder.folder("snapshots"), StoreJournal(folder.path(), folder.folder("tmp"))};
};

const std::string kOne = "aaaa" + std::string(60, '1');
const std::string kTwo = "aaaa" + std::string(60, '2');
const std::string kThree = "bbbb" + std::string(60, '3');

}  // namespace

TEST_CASE("snapshots are listed from the oldest to the newest", "[snapshots]") {
  const Records records;
  CHECK(records.snapshots.list().value().empty());
  REQUIRE(records.snapshots.add(snapshot(kTwo, 30)).ok());
  REQUIRE(records.snapshots.add(snapshot(kThree, 10)).ok());
  REQUIRE(records.snapshots.add(snapshot(kOne, 20)).ok());
  const auto list = records.snapshots.list().value();
  REQUIRE(list.size() == 3);
  CHECK(list[0].id() == kThree);
  CHECK(list[1].id() == kOne);
  CHECK(list[2].id() == kTwo);
}

TEST_CASE("the same data is the same snapshot, and the record tells of the first time", "[snapshots]") {
  const Records records;
  REQUIRE(records.snapshots.add(snapshot(kOne, 10, "/first")).ok());
  REQUIRE(records.snapshots.add(snapshot(kOne, 20, "/second")).ok());
  REQUIRE(records.snapshots.list().value().size() == 1);
  CHECK(records.snapshots.find(kOne).value() == snapshot(kOne, 10, "/first"));
  CHECK(list_folder(records.folder.path() / "tmp").value().empty());
}

TEST_CASE("a snapshot that was removed is gone, and can be taken again", "[snapshots]") {
  const Records records;
  REQUIRE(records.snapshots.add(snapshot(kOne, 10, "/first")).ok());
  REQUIRE(records.snapshots.add(snapshot(kTwo, 10)).ok());
  REQUIRE(records.snapshots.remove(snapshot(kOne, 10), Instant{20}).ok());
  CHECK(records.snapshots.find(kOne).error().code == Errc::not_found);
  CHECK(records.snapshots.list().value() == std::vector{snapshot(kTwo, 10)});
  CHECK(records.snapshots.remove(snapshot(kOne, 10), Instant{20}).ok());
  REQUIRE(records.snapshots.add(snapshot(kOne, 20, "/second")).ok());
  CHECK(records.snapshots.find(kOne).value() == snapshot(kOne, 20, "/second"));
}

TEST_CASE("a snapshot is found by the beginning of its id", "[snapshots]") {
  const Records records;
  for (const std::string& id : {kOne, kTwo, kThree}) REQUIRE(records.snapshots.add(snapshot(id, 10)).ok());
  CHECK(records.snapshots.find("bbbb")->id() == kThree);
  CHECK(records.snapshots.find("aaaa1")->id() == kOne);
  CHECK(records.snapshots.find(kTwo)->id() == kTwo);
  CHECK(records.snapshots.find("aaaa").error() ==
        fail(Errc::invalid, "'aaaa' is the beginning of 2 snapshots; give more digits"));
  for (const char* const id : {"", "b", "bbb", "cccc", "bbbbx", "../x", "1111"}) {
    CAPTURE(id);
    CHECK(records.snapshots.find(id).error() ==
          fail(Errc::not_found,
               "there is no snapshot '" + std::string(id) + "'; 'trainyard snapshot list' shows those there are"));
  }
}

TEST_CASE("a record that cannot be read is named", "[snapshots]") {
  const Records records;
  records.folder.write("snapshots/" + kOne + ".json", "{}");
  const auto found = records.snapshots.find(kOne);
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == Errc::corrupt);
  CHECK(found.error().message == "the record '" + (records.folder.path() / "snapshots" / (kOne + ".json")).string() +
                                     "' cannot be read: the snapshot record has no key 'schema'");
  CHECK_FALSE(records.snapshots.list().ok());
}

}  // namespace trainyard::snapshots_test
