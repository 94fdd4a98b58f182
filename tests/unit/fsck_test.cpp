// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/fsck.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/objects/generation.hpp"
#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::fsck_test {

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

// A store with small and large objects in three packs, and what is in it.
struct FullStore : PackStore {
  std::map<Digest, std::string> content;
  Digest large = sha256("");

  FullStore() {
    for (std::uint64_t pack = 0; pack < 3; ++pack) {
      std::vector<std::string> all;
      for (std::uint64_t i = 0; i < 60; ++i) all.push_back(text_bytes(100 * pack + i, 10 + 40 * i));
      all.push_back(random_bytes(pack, 70'000));
      all.push_back(random_bytes(10 + pack, 300'000));
      if (pack == 1) all.push_back(random_bytes(20, 3 * kMegabyte));
      const auto digests = put_pack(all);
      for (std::size_t i = 0; i < all.size(); ++i) content.emplace(digests[i], all[i]);
      if (pack == 1) large = digests.back();
    }
  }
  void open_damaged() {
    objects.reset();
    objects = must(PackObjects::open(root, scratch, PackObjects::DamagedIndex::open));
  }
  ObjectDamage check(Depth depth = Depth::every_byte) {
    open_damaged();
    return must(check_objects(*objects, depth, nullptr));
  }
  ObjectRepair repair() {
    open_damaged();
    return must(repair_objects(*objects, nullptr));
  }
  // All objects but those that are lost, bit for bit.
  void require_rest(const std::vector<Digest>& lost) {
    reopen();
    for (const auto& [digest, bytes] : content) {
      const bool gone = std::find(lost.begin(), lost.end(), digest) != lost.end();
      if (!gone && read(digest) != bytes) FAIL("the object " << digest.hex() << " is not what it was");
      if (gone && objects->read(digest, SIZE_MAX).ok()) FAIL("the object " << digest.hex() << " is not lost at all");
    }
  }
  [[nodiscard]] std::uint64_t size_of(const Path& path) const {
    return static_cast<std::uint64_t>(must(status_of(path))->st_size);
  }
  // The place of an object's record, and the path of its pack.
  [[nodiscard]] std::pair<Path, ObjectPlace> place_of(const Digest& digest) const {
    const auto found = objects->index().find(digest).value();
    return {objects->packs().path_of(found.pack), found.place};
  }
  Digest one_of(std::size_t size) const {
    for (const auto& [digest, bytes] : content) {
      if (bytes.size() == size) return digest;
    }
    throw std::runtime_error("there is no object of that size");
  }
};

}  // namespace

TEST_CASE("a sound store has nothing wrong with it", "[fsck]") {
  FullStore store;
  for (const Depth depth : {Depth::structure, Depth::every_byte}) {
    store.open_damaged();
    std::uint64_t last = 0;
    std::uint64_t all = 0;
    const auto damage = must(check_objects(*store.objects, depth, [&](std::uint64_t done, std::uint64_t of) {
      last = done;
      all = of;
    }));
    CHECK(damage.problems == std::vector<std::string>());
    CHECK(damage.sound());
    CHECK(damage.objects >= store.content.size());
    CHECK(damage.unindexed_packs == 0);
    CHECK(all == store.pack_bytes());
    CHECK(last == all - 3 * 8);
  }
  CHECK(must(read_generation(store.root)) == 1);
  const auto repair = store.repair();
  CHECK(repair.indexed == 0);
  CHECK(repair.lost.empty());
  CHECK(repair.quarantine.empty());
  CHECK(must(read_generation(store.root)) == 1);
  CHECK(store.files("index").size() == 1);
  store.require_rest({});
  CHECK(store.check().sound());
}

TEST_CASE("an empty store can be checked and repaired", "[fsck]") {
  PackStore store;
  CHECK(must(check_objects(*store.objects, Depth::every_byte, nullptr)).sound());
  CHECK(must(repair_objects(*store.objects, nullptr)).lost.empty());
  CHECK(must(check_objects(*store.objects, Depth::every_byte, nullptr)).sound());
}

TEST_CASE("a corrupt object is found, and moved to quarantine", "[fsck]") {
  FullStore store;
  SECTION("one that is stored as it is") {
    const Digest digest = store.one_of(300'000);
    const auto [pack, place] = store.place_of(digest);
    damage_file(pack, place.offset + place.record_bytes - 1000, "damage");
    CHECK(store.check(Depth::structure).sound());
    const ObjectDamage damage = store.check();
    CHECK(damage.problems == std::vector<std::string>());
    CHECK(damage.corrupt == std::vector<Digest>{digest});
    const ObjectRepair repair = store.repair();
    CHECK(repair.lost == std::vector<Digest>{digest});
    CHECK(repair.quarantine == store.root / "quarantine");
    std::string remains = must(read_file(repair.quarantine / digest.hex(), SIZE_MAX / 4));
    REQUIRE(remains.size() == 300'000);
    CHECK(remains.substr(300'000 - 1000, 6) == "damage");
    CHECK(must(read_generation(store.root)) == 2);
    store.require_rest(repair.lost);
    CHECK(store.check().sound());
  }
  SECTION("a compressed block of many") {
    const Digest digest = store.one_of(10 + 40 * 3);
    const auto [pack, place] = store.place_of(digest);
    damage_file(pack, place.offset + place.record_bytes - 40, std::string(30, 'x'));
    const ObjectDamage damage = store.check();
    CHECK(damage.corrupt.size() > 10);
    const ObjectRepair repair = store.repair();
    CHECK(repair.lost == damage.corrupt);
    CHECK(is_there(repair.quarantine / digest.hex()));
    store.require_rest(repair.lost);
    CHECK(store.check().sound());
  }
  SECTION("a chunk of a large one") {
    const auto list = must(store.objects->list_of(store.large));
    const Digest chunk = list->refs.at(2).digest;
    const auto [pack, place] = store.place_of(chunk);
    damage_file(pack, place.offset + place.record_bytes - place.length + 5, "damage");
    const ObjectDamage damage = store.check();
    REQUIRE(damage.corrupt.size() >= 1);
    CHECK(damage.incomplete == std::vector<Digest>{store.large});
    const ObjectRepair repair = store.repair();
    CHECK(repair.lost == damage.corrupt);
    store.require_rest({store.large});
    const ObjectDamage after = store.check();
    CHECK(after.problems.empty());
    CHECK(after.corrupt.empty());
    CHECK(after.incomplete == std::vector<Digest>{store.large});
    // Once its bytes come back all is well.
    store.put_pack({store.content.at(store.large)});
    CHECK(store.check().sound());
    store.require_rest({});
  }
  SECTION("a list") {
    const auto [pack, place] = store.place_of(store.large);
    // It shares a block with small objects.
    damage_file(pack, place.offset + place.record_bytes - 50, "damage");
    const std::vector<Digest> corrupt = store.check(Depth::structure).corrupt;
    CHECK(std::count(corrupt.begin(), corrupt.end(), store.large) == 1);
    const ObjectRepair repair = store.repair();
    CHECK(repair.lost == corrupt);
    store.require_rest(repair.lost);
    CHECK(store.check().sound());
  }
}

TEST_CASE("the index is made anew from the packs", "[fsck]") {
  FullStore store;
  const std::vector<Path> indexes = store.files("index");
  REQUIRE(indexes.size() == 3);
  SECTION("when it is gone") {
    for (const Path& path : indexes) REQUIRE(remove_file(path).ok());
    store.open_damaged();
    const ObjectDamage damage = store.check();
    CHECK(damage.unindexed_packs == 3);
    const ObjectRepair repair = store.repair();
    CHECK(repair.indexed == damage.objects);
    CHECK(repair.lost.empty());
  }
  SECTION("when a part of it is gone") {
    REQUIRE(remove_file(indexes[1]).ok());
    CHECK(store.check().unindexed_packs == 1);
    CHECK(store.repair().indexed > 60);
  }
  SECTION("when it does not begin like one") {
    damage_file(indexes[0], 0, "X");
    CHECK(PackObjects::open(store.root, store.scratch).error().code == Errc::corrupt);
    CHECK_FALSE(store.check().sound());
    CHECK(store.repair().indexed > 60);
  }
  SECTION("when it ends early") {
    cut_file(indexes[0], store.size_of(indexes[0]) / 2);
    CHECK_FALSE(store.check().sound());
    CHECK(store.repair().lost.empty());
  }
  SECTION("when an entry is damaged") {
    for (const std::uint64_t at : {40U, 70U, 76U, 80U, 88U, 120U}) damage_file(indexes[2], at, "\xFF\xFF\xFF");
    CHECK_FALSE(store.check(Depth::structure).sound());
    CHECK(store.repair().lost.empty());
  }
  SECTION("when it is empty") {
    cut_file(indexes[1], 0);
    CHECK_FALSE(store.check(Depth::structure).sound());
    CHECK(store.repair().lost.empty());
  }
  store.require_rest({});
  CHECK(store.check().sound());
  CHECK(store.files("index").size() == 1);
}

TEST_CASE("a pack that is gone is told, with what it held", "[fsck]") {
  FullStore store;
  const auto [pack, place] = store.place_of(store.large);
  REQUIRE(remove_file(pack).ok());
  const ObjectDamage damage = store.check(Depth::structure);
  CHECK(damage.problems.size() == 1);
  CHECK(damage.corrupt.size() > 60);
  const ObjectRepair repair = store.repair();
  CHECK(repair.lost == damage.corrupt);
  CHECK(repair.quarantine.empty());
  CHECK(store.check().sound());
  std::vector<Digest> lost;
  for (const Digest& digest : repair.lost) lost.push_back(digest);
  store.require_rest(lost);
}

TEST_CASE("what is left of a damaged pack is found behind the damage", "[fsck]") {
  FullStore store;
  const auto [pack, place] = store.place_of(store.one_of(10 + 40 * 3));
  std::vector<PackRecord> records;
  {
    PackScan scan = must(PackScan::open(pack));
    while (auto record = must(scan.next())) records.push_back(std::move(*record));
  }
  REQUIRE(records.size() >= 3);
  const std::uint64_t size = store.size_of(pack);
  std::size_t damaged = records.size();  // the record whose objects are lost
  SECTION("in its first bytes") { damage_file(pack, 0, "XX"); }
  SECTION("in the magic of a record") { damage_file(pack, records[damaged = 1].offset, "X"); }
  SECTION("in the sizes of a record") { damage_file(pack, records[damaged = 1].offset + 12, "\x01\x02"); }
  SECTION("in the number of objects") { damage_file(pack, records[damaged = 0].offset + 8, "\xFF\xFF\xFF\xFF"); }
  SECTION("in a table") { damage_file(pack, records[damaged = 0].offset + 40, "xxxx"); }
  SECTION("at the end") { cut_file(pack, size - 100), damaged = records.size() - 1; }
  SECTION("at the end, within a header") {
    damaged = records.size() - 1;
    cut_file(pack, records.back().offset + 20);
  }
  SECTION("by zeros at the end") { damage_file(pack, size, std::string(5000, '\0')); }
  SECTION("by zeros over two records") {
    damage_file(pack, records[1].offset, std::string(records[2].offset - records[1].offset, '\0'));
    damaged = 1;
  }
  const ObjectDamage damage = store.check(Depth::structure);
  CHECK_FALSE(damage.problems.empty());
  std::vector<Digest> expected;
  if (damaged < records.size()) {
    for (const auto& object : records[damaged].objects) expected.push_back(object.digest);
    std::sort(expected.begin(), expected.end());
  }
  CHECK(damage.corrupt == expected);
  const ObjectRepair repair = store.repair();
  CHECK(repair.lost == expected);
  store.require_rest(expected);
  CHECK(store.check().sound());
}

TEST_CASE("a pack within a pack does not lead the search astray", "[fsck]") {
  FullStore store;
  // The bytes of a pack, stored as they are: they hold true records.
  const PackStore other;
  const Digest hidden = other.put_pack({random_bytes(77, 200'000)})[0];
  const std::string inner = must(read_file(other.packs()[0], SIZE_MAX / 4));
  const Digest outer = store.put_pack({inner})[0];
  store.content.emplace(outer, inner);
  const auto [pack, place] = store.place_of(outer);
  damage_file(pack, place.offset + 33, "x");
  const ObjectDamage damage = store.check();
  CHECK(damage.corrupt == std::vector<Digest>{outer});
  CHECK(store.repair().lost == std::vector<Digest>{outer});
  store.reopen();
  CHECK_FALSE(must(store.objects->has(hidden)));
}

TEST_CASE("a good second copy replaces a corrupt one", "[fsck]") {
  FullStore store;
  const std::string shared = random_bytes(55, 100'000);
  const auto other = store.another();
  must(other->put(shared));
  const Digest digest = store.put(shared);
  must(other->sync());
  other->release();
  store.sync();
  store.content.emplace(digest, shared);
  store.objects->release();
  const auto [pack, place] = store.place_of(digest);
  damage_file(pack, place.offset + 5000, "damage");
  CHECK(store.check().corrupt == std::vector<Digest>{digest});
  const ObjectRepair repair = store.repair();
  CHECK(repair.lost.empty());
  CHECK(repair.quarantine.empty());
  store.require_rest({});
  CHECK(store.check().sound());
}

TEST_CASE("a corrupt copy that nobody reads is told and goes", "[fsck]") {
  FullStore store;
  const std::string shared = random_bytes(55, 100'000);
  const auto other = store.another();
  must(other->put(shared));
  const Digest digest = store.put(shared);
  must(other->sync());
  other->release();
  store.sync();
  const PackId read = store.objects->index().find(digest)->pack;
  for (const Path& path : store.packs()) {
    PackScan scan = must(PackScan::open(path));
    while (const auto record = must(scan.next())) {
      if (record->objects[0].digest == digest && path != store.objects->packs().path_of(read))
        damage_file(path, record->offset + 5000, "damage");
    }
  }
  const ObjectDamage damage = store.check();
  CHECK(damage.corrupt.empty());
  CHECK(damage.problems.size() == 1);
  CHECK(store.repair().lost.empty());
  store.require_rest({});
  CHECK(store.check().sound());
}

TEST_CASE("what the dead left in the scratch folder is told and removed", "[fsck]") {
  FullStore store;
  store.folder.write("tmp/pack-999999999-0-abc", "12345");
  store.folder.write("tmp/index-999999999-1-abc", "123");
  store.folder.write("tmp/pack-" + std::to_string(::getpid()) + "-9-abc", "of the living");
  store.folder.write("tmp/zip-999999999-1-abc", "of others");
  CHECK(store.check(Depth::structure).scratch_bytes == 8);
  CHECK(store.check(Depth::structure).sound());
  store.repair();
  CHECK(must(list_folder(store.scratch)) == std::vector<std::string>{"zip-999999999-1-abc"});
}

TEST_CASE("a damaged generation gets a number that never was", "[fsck]") {
  FullStore store;
  store.folder.write("objects/generation", "x");
  CHECK(store.check(Depth::structure).problems.size() == 1);
  store.repair();
  CHECK(must(read_generation(store.root)) > 1'000'000);
  CHECK(store.check(Depth::structure).sound());
}

TEST_CASE("a repair completes a purge that was interrupted", "[fsck]") {
  FullStore store;
  const Digest digest = store.one_of(300'000);
  const Tombstone tombstone{digest, 1, must(Instant::parse("2024-05-06T07:08:09.123456Z")), "a reason", {}};
  must(Tombstones(store.root / "tombstones", store.scratch).add(tombstone));
  const ObjectDamage damage = store.check(Depth::structure);
  REQUIRE(damage.problems.size() == 1);
  CHECK(damage.problems[0].find("was interrupted") != std::string::npos);
  CHECK(store.repair().lost.empty());
  CHECK(store.check().sound());
  store.require_rest({digest});
  CHECK(store.objects->read(digest, SIZE_MAX).error().message.find("was purged") != std::string::npos);
}

}  // namespace trainyard::fsck_test
