// SPDX-License-Identifier: Apache-2.0
// What PackObjects does beyond its port: what is on disk, and when.
#include "storage/objects/pack_objects.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::pack_objects_test {

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

std::size_t entries(const Path& folder) { return must(list_folder(folder)).size(); }

std::vector<PackRecord> records_of(const Path& pack) {
  PackScan scan = must(PackScan::open(pack));
  std::vector<PackRecord> records;
  while (auto record = must(scan.next())) records.push_back(std::move(*record));
  REQUIRE(scan.gaps().empty());
  return records;
}

}  // namespace

TEST_CASE("objects get their names only when they are durable", "[pack_objects]") {
  PackStore store;
  const std::string large = random_bytes(1, 10 * kMegabyte);
  const Digest small = store.put("abc");
  const Digest whole = store.put(large);
  CHECK(entries(store.root / "packs") == 0);
  CHECK(entries(store.root / "index") == 0);
  CHECK(entries(store.scratch) == 1);
  CHECK_FALSE(store.another()->index().find(small));
  store.sync();
  CHECK(entries(store.scratch) == 0);
  REQUIRE(store.packs().size() == 1);
  REQUIRE(store.files("index").size() == 1);
  for (const Path& path : {store.packs()[0], store.files("index")[0]})
    CHECK((must(status_of(path))->st_mode & 07777U) == 0444);
  CHECK(must(read_file(store.packs()[0], SIZE_MAX / 4)).substr(0, 8) == "TYPACK1\n");
  store.reopen();
  CHECK(store.read(small) == "abc");
  CHECK((store.read(whole) == large));
}

TEST_CASE("what was put and not synced leaves nothing behind", "[pack_objects]") {
  PackStore store;
  const Digest digest = store.put("abc");
  store.put_pack({});
  REQUIRE(must(store.objects->has(digest)));
  REQUIRE(store.objects->put(random_bytes(1, 9 * kMegabyte)).ok());
  CHECK(entries(store.scratch) == 1);
  store.reopen();
  CHECK(entries(store.scratch) == 0);
  CHECK(entries(store.root / "packs") == 1);
  CHECK(must(store.objects->has(digest)));
  CHECK_FALSE(must(store.objects->has(sha256(random_bytes(1, 9 * kMegabyte)))));
}

TEST_CASE("putting what is there writes nothing", "[pack_objects]") {
  PackStore store;
  const std::string large = random_bytes(1, 4 * kMegabyte);
  store.put_pack({"abc", large, text_bytes(1, 300'000)});
  const std::uint64_t before = store.pack_bytes();
  store.reopen();
  store.put_pack({"abc", large, text_bytes(1, 300'000)});
  CHECK(entries(store.scratch) == 0);
  CHECK(store.packs().size() == 1);
  CHECK(store.pack_bytes() == before);
}

TEST_CASE("what changes little is stored a little", "[pack_objects]") {
  PackStore store;
  const std::string before = random_bytes(1, 12 * kMegabyte);
  store.put_pack({before});
  const std::uint64_t bytes = store.pack_bytes();
  std::string after = before;
  after.insert(0, 100, 'x');
  after.replace(6 * kMegabyte, 10, "0123456789");
  const Digest digest = store.put_pack({after})[0];
  CHECK(store.pack_bytes() - bytes < 4 * kMegabyte);
  store.reopen();
  CHECK((store.read(digest) == after));
}

TEST_CASE("a hole of zeros costs nearly nothing", "[pack_objects]") {
  PackStore store;
  const std::string zeros(50 * kMegabyte, '\0');
  const Digest digest = store.put_pack({zeros})[0];
  CHECK(store.pack_bytes() < 100'000);
  CHECK((store.read(digest) == zeros));
}

TEST_CASE("small objects share records, and dense ones are kept as they are", "[pack_objects]") {
  PackStore store;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 500; ++i) all.push_back(text_bytes(i, 2000));
  all.push_back(random_bytes(1, 100'000));
  store.put_pack(all);
  const auto records = records_of(store.packs().at(0));
  CHECK(records.size() < 10);
  const auto plain = std::count_if(records.begin(), records.end(), [](const PackRecord& record) {
    return record.header.coding == pack_format::Coding::none;
  });
  CHECK(plain == 1);
  CHECK(store.pack_bytes() < 100'000 + 500 * 2000 / 2);
}

TEST_CASE("each sync makes a pack, and all are found after many", "[pack_objects]") {
  PackStore store;
  for (int i = 0; i < 30; ++i) store.put_pack({"object " + std::to_string(i)});
  CHECK(store.packs().size() == 30);
  CHECK(store.files("index").size() <= 8);
  store.reopen();
  for (int i = 0; i < 30; ++i) {
    const std::string bytes = "object " + std::to_string(i);
    if (store.read(sha256(bytes)) != bytes) FAIL(bytes);
  }
}

TEST_CASE("two instances on one folder see what the other has synced", "[pack_objects]") {
  PackStore store;
  const auto other = store.another();
  const Digest mine = store.put("mine");
  const Digest shared = must(other->put("shared"));
  must(store.objects->put("shared"));
  CHECK(other->read(mine, 100).error().code == Errc::not_found);
  store.sync();
  CHECK(must(other->read(mine, 100)) == "mine");
  must(other->sync());
  other->release();
  CHECK(store.read(shared) == "shared");
  CHECK(entries(store.scratch) == 0);
  // The second time it is there.
  must(other->put("mine"));
  must(other->sync());
  CHECK(store.packs().size() == 2);
}

TEST_CASE("a list of lists is read in order", "[pack_objects]") {
  PackStore store;
  const std::string bytes = random_bytes(3, 20 * kMegabyte) + text_bytes(4, 10 * kMegabyte);
  const auto writer = store.objects->writer(Cut::fine);
  must(writer->write(bytes));
  const StoredObject stored = must(writer->finish());
  CHECK(must(store.objects->list_of(stored.digest))->depth == 1);
  store.sync();
  store.reopen();
  CHECK((store.read(stored.digest) == bytes));
  // A list that changes in few places shares most of its lines.
  const std::uint64_t before = store.pack_bytes();
  std::string changed = bytes;
  changed[5 * kMegabyte] = '!';
  changed[25 * kMegabyte] = '!';
  const auto again = store.objects->writer(Cut::fine);
  must(again->write(changed));
  const Digest second = must(again->finish()).digest;
  store.sync();
  CHECK(store.pack_bytes() - before < 400'000);
  CHECK((store.read(second) == changed));
}

TEST_CASE("damage is named, whatever it hits and whoever reads it", "[pack_objects]") {
  PackStore store;
  const std::string plain = random_bytes(1, 300'000);
  const std::string text = text_bytes(2, 400'000);
  const std::string large = random_bytes(3, 3 * kMegabyte);
  const std::vector<Digest> digests = store.put_pack({plain, text, large});
  const Path pack = store.packs()[0];
  const std::string good = must(read_file(pack, SIZE_MAX / 4));
  const auto place = [&](const Digest& digest) { return store.objects->index().find(digest)->place; };
  Digest broken = digests[0];
  SECTION("the bytes of an object") { damage_file(pack, place(broken).offset + 1000, "damage"); }
  SECTION("a compressed block") {
    broken = digests[1];
    damage_file(pack, place(broken).offset + 200, "damage");
  }
  SECTION("a list") {
    broken = digests[2];
    damage_file(pack, place(broken).offset + place(broken).record_bytes - 60, "damage");
  }
  SECTION("a chunk") {
    broken = digests[2];
    const auto chunk = place(must(store.objects->list_of(broken))->refs[4].digest);
    damage_file(pack, chunk.offset + chunk.record_bytes - 50, "damage");
  }
  SECTION("the header of a record") { damage_file(pack, place(broken).offset, "XXXX"); }
  SECTION("the sizes of a record") { damage_file(pack, place(broken).offset + 12, "XXXX"); }
  SECTION("the end of the pack") {
    for (const Digest& digest : digests) {
      if (place(digest).offset > place(broken).offset) broken = digest;
    }
    cut_file(pack, good.size() - 10);
  }
  SECTION("all of the pack") { cut_file(pack, 0); }
  store.reopen();
  const auto read = store.objects->read(broken, SIZE_MAX);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == Errc::corrupt);
  CHECK(read.error().message.find("the object " + broken.hex() + " is corrupt: ") == 0);
  struct One final : ObjectReceiver {
    Result<void> piece(std::size_t, std::string_view) override { return {}; }
    Result<void> end(std::size_t, const Result<void>& said) override {
      verdict = said;
      return {};
    }
    Result<void> verdict;
  };
  One one;
  must(store.objects->stream_each(std::span(&broken, 1), one));
  REQUIRE_FALSE(one.verdict.ok());
  CHECK(one.verdict.error().code == Errc::corrupt);
  CHECK(one.verdict.error().message.find("the object " + broken.hex() + " is corrupt: ") == 0);
}

TEST_CASE("a pack that is not there makes its objects corrupt", "[pack_objects]") {
  PackStore store;
  const Digest digest = store.put_pack({"abc"})[0];
  REQUIRE(remove_file(store.packs()[0]).ok());
  store.reopen();
  CHECK(store.objects->read(digest, 10).error().code == Errc::corrupt);
}

TEST_CASE("what was purged is not taken in again, in whichever way it comes", "[pack_objects][purge]") {
  PackStore store;
  const std::string secret = random_bytes(1, 100'000);
  const Tombstone tombstone{
      sha256(secret), secret.size(), must(Instant::parse("2024-05-06T07:08:09.123456Z")), "why", {}};
  must(Tombstones(store.root / "tombstones", store.scratch).add(tombstone));
  const auto refused = [&](const Error& error) {
    return error.code == Errc::invalid && error.message.find("was purged from this store (why)") != std::string::npos;
  };
  CHECK(refused(store.objects->put(secret).error()));
  const Path path = store.folder.write("file", secret);
  const UniqueFd fd = must(open_file(path, O_RDONLY));
  CHECK(refused(store.objects->put_file(fd.get(), secret.size(), path).error()));
  const auto writer = store.objects->writer(Cut::coarse);
  must(writer->write(secret));
  CHECK(refused(writer->finish().error()));
  // Others are taken all the same.
  const Digest other = store.put("other");
  store.sync();
  CHECK(store.another()->read(other, 10).value() == "other");
  CHECK(store.objects->tombstone(sha256(secret)) == tombstone);
  CHECK_FALSE(store.objects->tombstone(other));
}

TEST_CASE("a purged chunk stops a large object, and nothing that comes after it", "[pack_objects][purge]") {
  PackStore store;
  const std::string large = random_bytes(1, 4 * kMegabyte);
  Digest chunk = sha256("");
  std::size_t before = 0;  // it
  {
    const PackStore other;
    const auto list = must(other.objects->list_of(other.put_pack({large})[0]));
    chunk = list->refs[5].digest;
    for (std::size_t i = 0; i < 5; ++i) before += list->refs[i].bytes;
  }
  must(Tombstones(store.root / "tombstones", store.scratch)
           .add({chunk, 1, must(Instant::parse("2024-05-06T07:08:09.123456Z")), "why", {}}));
  CHECK(store.objects->put(large).error().code == Errc::invalid);
  // It shares the chunks that came before the refused one.
  const std::string next = large.substr(0, before) + random_bytes(2, 2 * kMegabyte);
  const Digest digest = store.put_pack({next})[0];
  CHECK((store.read(digest) == next));
  store.reopen();
  CHECK((store.read(digest) == next));
}

TEST_CASE("a writer holds the store until it lets go", "[pack_objects]") {
  PackStore store;
  const auto alone = [&] { return must(WriteHold::exclusive(store.root, WriteHold::Wait::no)).has_value(); };
  CHECK(alone());
  must(store.objects->put("abc"));
  CHECK_FALSE(alone());
  must(store.objects->sync());
  CHECK_FALSE(alone());
  store.objects->release();
  CHECK(alone());
  // So does who only asks what is there.
  CHECK(must(store.objects->has(sha256("abc"))));
  CHECK_FALSE(alone());
  store.objects->release();
  CHECK(must(store.objects->generation()) == 1);
  CHECK_FALSE(alone());
  // Reading holds nothing.
  store.reopen();
  CHECK(store.read(sha256("abc")) == "abc");
  CHECK(alone());
}

TEST_CASE("a collector that waits is not kept out by new writers", "[pack_objects][threads]") {
  PackStore store;
  auto first = std::optional(must(WriteHold::shared(store.root)));
  std::atomic<bool> collected = false;
  std::atomic<bool> written = false;
  bool in_order = false;
  {
    std::jthread collector([&] {
      const auto hold = WriteHold::exclusive(store.root, WriteHold::Wait::yes);
      in_order = hold.ok() && !written;
      collected = true;
    });
    while (true) {
      // Until the collector waits behind the gate.
      const auto gate = must(open_file(store.root / "gate", O_RDWR | O_CREAT, 0666));
      if (::flock(gate.get(), LOCK_EX | LOCK_NB) != 0) break;
    }
    std::jthread writer([&] {
      const auto hold = WriteHold::shared(store.root);
      written = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK_FALSE(collected);
    CHECK_FALSE(written);
    first.reset();
  }
  CHECK(in_order);
  CHECK(written);
}

TEST_CASE("a store that cannot be written to says so, and what was there stays", "[pack_objects]") {
  PackStore store;
  const Digest digest = store.put_pack({"abc"})[0];
  REQUIRE(rename_path(store.scratch, store.folder.path() / "away").ok());
  const auto put = store.objects->put("def");
  const auto synced = store.objects->sync();
  REQUIRE_FALSE((put.ok() && synced.ok()));
  // Nothing can be synced any more: what was put is nowhere.
  CHECK_FALSE(store.objects->sync().ok());
  REQUIRE(rename_path(store.folder.path() / "away", store.scratch).ok());
  store.reopen();
  CHECK(store.read(digest) == "abc");
  CHECK_FALSE(must(store.objects->has(sha256("def"))));
}

}  // namespace trainyard::pack_objects_test
