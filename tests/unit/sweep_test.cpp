// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/sweep.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "storage/objects/generation.hpp"
#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::sweep_test {

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

// These objects and their parts are needed, everything else is not.
Mark marking(std::set<Digest> needed, const PackObjects* purged_from = nullptr) {
  return [needed = std::move(needed), purged_from](ObjectCensus& census) -> Result<std::vector<bool>> {
    std::vector<bool> live(census.size());
    for (const Digest& digest : needed) {
      if (purged_from != nullptr && purged_from->tombstone(digest)) continue;
      const auto number = census.find(digest);
      if (!number) return fail(Errc::not_found, "a needed object is not there");
      live[*number] = true;
      for (const std::size_t part : TRY(census.parts(*number, nullptr))) live[part] = true;
    }
    return live;
  };
}

SweepPlan plan_for(const PackStore& store, const Mark& mark) {
  ObjectCensus census = must(ObjectCensus::take(*store.objects));
  return must(plan_sweep(*store.objects, census, must(mark(census))));
}

SweepReport sweep_all(const PackStore& store, const Mark& mark) {
  return must(sweep(*store.objects, plan_for(store, mark), mark, nullptr));
}

bool has(const PackStore& store, const Digest& digest) { return must(store.another()->has(digest)); }

// Every digest that any pack tells of, whether the index knows it or not.
std::multiset<Digest> in_packs(const PackStore& store) {
  std::multiset<Digest> digests;
  for (const Path& path : store.packs()) {
    PackScan scan = must(PackScan::open(path));
    while (const auto record = must(scan.next())) {
      for (const auto& object : record->objects) digests.insert(object.digest);
    }
  }
  return digests;
}

Tombstone tombstone_of(const Digest& digest) {
  return {digest, 1, must(Instant::parse("2024-05-06T07:08:09.123456Z")), "a person asked for it", {"snapshot x"}};
}

}  // namespace

TEST_CASE("a sweep removes what is dead and keeps the rest bit for bit", "[sweep]") {
  const PackStore store;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 400; ++i) all.push_back(text_bytes(i, 100 + 50 * i));
  for (std::uint64_t i = 0; i < 20; ++i) all.push_back(random_bytes(i, 100'000 + i));
  all.push_back(random_bytes(99, 6 * kMegabyte));
  all.push_back(text_bytes(98, 6 * kMegabyte));
  all.emplace_back();
  const std::vector<Digest> digests = store.put_pack(all);
  std::set<Digest> needed;
  for (std::size_t i = 1; i < digests.size(); i += 3) needed.insert(digests[i]);
  const std::uint64_t before = store.pack_bytes();
  const Mark mark = marking(needed);
  const SweepPlan plan = plan_for(store, mark);
  REQUIRE(plan.packs.size() == 1);
  CHECK(plan.packs[0].rewrite);
  CHECK(plan.packs[0].file_bytes == before);
  CHECK(plan.packs[0].dead.size() == plan.dead_objects);
  CHECK(must(sweep_plan_from(to_json(plan))) == plan);
  const std::uint64_t generation = must(read_generation(store.root));
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  const SweepReport report =
      must(sweep(*store.objects, plan, mark, [&](std::size_t done, std::size_t of) { steps.emplace_back(done, of); }));
  CHECK(steps == std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}});
  CHECK(report.removed_objects == plan.dead_objects);
  CHECK(report.packs_removed == 1);
  CHECK(report.packs_written == 1);
  CHECK(report.freed_bytes == before - store.pack_bytes());
  // The plan foretells what is freed, but for how well the rest compresses.
  CHECK(report.freed_bytes > plan.freed_bytes * 9 / 10);
  CHECK(report.freed_bytes < plan.freed_bytes * 11 / 10);
  CHECK(must(read_generation(store.root)) == generation + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (needed.contains(digests[i])) {
      if (store.read(digests[i]) != all[i]) FAIL("object " << i << " is not what it was");
    } else if (has(store, digests[i])) {
      FAIL("object " << i << " is still there");
    }
  }
  CHECK(plan_for(store, mark).packs.empty());
}

TEST_CASE("a sweep goes only where it is worth it", "[sweep]") {
  const PackStore store;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 100; ++i) all.push_back(random_bytes(i, 10'000));
  const std::vector<Digest> digests = store.put_pack(all);
  std::set<Digest> needed(digests.begin() + 10, digests.end());
  const SweepPlan plan = plan_for(store, marking(needed));
  REQUIRE(plan.packs.size() == 1);
  CHECK_FALSE(plan.packs[0].rewrite);
  CHECK(plan.dead_objects == 10);
  CHECK(plan.freed_bytes == 0);
  const SweepReport report = sweep_all(store, marking(needed));
  CHECK(report.removed_objects == 0);
  CHECK(must(read_generation(store.root)) == 1);
  CHECK(store.read(digests[0]) == all[0]);
}

TEST_CASE("a pack in which all is dead goes without a new one", "[sweep]") {
  const PackStore store;
  store.put_pack({"one", "two"});
  const Digest three = store.put_pack({"three"})[0];
  const SweepReport report = sweep_all(store, marking({three}));
  CHECK(report.packs_removed == 1);
  CHECK(report.packs_written == 0);
  CHECK(report.removed_objects == 2);
  CHECK(store.packs().size() == 1);
  CHECK(store.read(three) == "three");
  CHECK(store.objects->read(sha256("one"), 10).error().code == Errc::not_found);
}

TEST_CASE("a store of which all is dead becomes empty and can be used again", "[sweep]") {
  const PackStore store;
  store.put_pack({"one", random_bytes(1, 3 * kMegabyte)});
  sweep_all(store, marking({}));
  CHECK(store.packs().empty());
  CHECK_FALSE(has(store, sha256("one")));
  const Digest again = store.put_pack({"one"})[0];
  CHECK(store.another()->read(again, 10).value() == "one");
}

TEST_CASE("many small packs become one", "[sweep]") {
  const PackStore store;
  std::set<Digest> needed;
  for (int i = 0; i < 8; ++i) needed.insert(store.put_pack({"small " + std::to_string(i)})[0]);
  CHECK(plan_for(store, marking(needed)).packs.empty());
  needed.insert(store.put_pack({"small 8"})[0]);
  const SweepReport report = sweep_all(store, marking(needed));
  CHECK(report.packs_removed == 9);
  CHECK(report.packs_written == 1);
  CHECK(report.removed_objects == 0);
  CHECK(store.packs().size() == 1);
  CHECK(store.files("index").size() == 1);
  for (int i = 0; i < 9; ++i) CHECK(has(store, sha256("small " + std::to_string(i))));
}

TEST_CASE("what is needed again since the plan was made stays", "[sweep]") {
  const PackStore store;
  const std::vector<Digest> digests = store.put_pack({"one", "two", "three"});
  const SweepPlan plan = plan_for(store, marking({}));
  CHECK(plan.dead_objects == 3);
  const SweepReport report = must(sweep(*store.objects, plan, marking({digests[1]}), nullptr));
  CHECK(report.removed_objects == 2);
  CHECK(store.read(digests[1]) == "two");
}

TEST_CASE("what died since the plan was made stays for the next one", "[sweep]") {
  const PackStore store;
  const std::vector<Digest> digests = store.put_pack({"one", "two"});
  const SweepPlan plan = plan_for(store, marking({digests[0]}));
  const Digest later = store.put_pack({"later"})[0];
  const SweepReport report = must(sweep(*store.objects, plan, marking({}), nullptr));
  CHECK(report.removed_objects == 1);
  CHECK(store.read(digests[0]) == "one");
  CHECK(store.read(later) == "later");
}

TEST_CASE("a sweep whose mark fails changes nothing", "[sweep]") {
  const PackStore store;
  store.put_pack({"one", "two"});
  const SweepPlan plan = plan_for(store, marking({}));
  const Mark broken = [](ObjectCensus&) -> Result<std::vector<bool>> { return fail(Errc::corrupt, "a root is bad"); };
  CHECK(sweep(*store.objects, plan, broken, nullptr).error() == fail(Errc::corrupt, "a root is bad"));
  const Mark partial = [](ObjectCensus&) -> Result<std::vector<bool>> { return std::vector<bool>(1); };
  CHECK(sweep(*store.objects, plan, partial, nullptr).error().code == Errc::invalid);
  CHECK(has(store, sha256("one")));
  CHECK(must(read_generation(store.root)) == 1);
}

TEST_CASE("of an object in two packs one copy stays", "[sweep]") {
  const PackStore store;
  const auto other = store.another();
  const std::string shared = random_bytes(1, 20'000);
  must(other->put(shared));
  must(store.objects->put(shared));
  const Digest own = store.put("its own");
  must(other->sync());
  other->release();
  store.sync();
  REQUIRE(in_packs(store).count(sha256(shared)) == 2);
  for (int i = 0; i < 2; ++i) sweep_all(store, marking({sha256(shared), own}));
  CHECK(in_packs(store).count(sha256(shared)) == 1);
  CHECK((store.read(sha256(shared)) == shared));
  CHECK(store.read(own) == "its own");
}

TEST_CASE("a pack without an index is garbage unless something needs it", "[sweep]") {
  const PackStore store;
  const Digest kept = store.put_pack({"kept"})[0];
  const std::set<Path> before = {store.files("index")[0]};
  const std::vector<Digest> digests = store.put_pack({"needed", "not needed"});
  for (const Path& index : store.files("index")) {
    if (!before.contains(index)) REQUIRE(remove_file(index).ok());
  }
  SECTION("a writer died") {
    const SweepReport report = sweep_all(store, marking({kept}));
    CHECK(report.packs_removed == 1);
    CHECK(store.packs().size() == 1);
  }
  SECTION("its index was lost") {
    const SweepPlan plan = plan_for(store, marking({kept}));
    const SweepReport report = must(sweep(*store.objects, plan, marking({kept, digests[0]}), nullptr));
    CHECK(report.removed_objects == 1);
    CHECK(store.read(digests[0]) == "needed");
    CHECK(store.read(digests[1]).empty());
  }
  CHECK(store.read(kept) == "kept");
}

TEST_CASE("nothing is collected from a damaged store", "[sweep]") {
  PackStore store;
  const std::vector<Digest> digests = store.put_pack({text_bytes(1, 4000), text_bytes(2, 4000)});
  const SweepPlan plan = plan_for(store, marking({}));
  const Mark mark = marking({digests[0]});
  SECTION("in its index") { damage_file(store.files("index")[0], 40, "x"); }
  SECTION("in a pack's tables") { damage_file(store.packs()[0], 50, "x"); }
  SECTION("in the bytes of objects") {
    damage_file(store.packs()[0], static_cast<std::uint64_t>(must(status_of(store.packs()[0]))->st_size) - 9, "xyz");
  }
  SECTION("without a pack") { REQUIRE(rename_path(store.packs()[0], store.folder.path() / "away").ok()); }
  store.reopen();
  const auto swept = sweep(*store.objects, plan, mark, nullptr);
  REQUIRE_FALSE(swept.ok());
  INFO(swept.error().message);
  CHECK(swept.error().code == Errc::corrupt);
  CHECK(swept.error().message.find("fsck --repair") != std::string::npos);
  CHECK(store.files("index").size() == 1);
}

TEST_CASE("a sweep waits for writers and removes what dead ones left", "[sweep][threads]") {
  const PackStore store;
  store.put_pack({"dead"});
  store.folder.write("tmp/pack-1-0-abc", "left");
  store.folder.write("tmp/index-1-0-abc", "left");
  store.folder.write("tmp/file-1-0-abc", "somebody else's");
  const SweepPlan plan = plan_for(store, marking({}));
  const auto writer = store.another();
  must(writer->put("new"));
  std::atomic<bool> swept = false;
  bool early = false;
  {
    std::jthread sweeping([&] {
      static_cast<void>(sweep(*store.objects, plan, marking({sha256("new")}), nullptr));
      swept = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    early = swept;
    must(writer->sync());
    writer->release();
  }
  CHECK_FALSE(early);
  CHECK(must(list_folder(store.scratch)) == std::vector<std::string>{"file-1-0-abc"});
  CHECK_FALSE(has(store, sha256("dead")));
  CHECK(has(store, sha256("new")));
}

TEST_CASE("readers at work never notice a sweep", "[sweep][threads]") {
  const PackStore store;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 60; ++i) all.push_back(text_bytes(i, 2000 + i));
  all.push_back(random_bytes(1, 4 * kMegabyte));
  std::set<Digest> needed;
  std::vector<Digest> digests = store.put_pack(all);
  needed.insert(digests.begin(), digests.end());

  struct Receiver final : ObjectReceiver {
    std::atomic<int> bad = 0;
    Result<void> piece(std::size_t, std::string_view) override { return {}; }
    Result<void> end(std::size_t, const Result<void>& verdict) override {
      if (!verdict.ok()) ++bad;
      return {};
    }
  };
  std::atomic<bool> stop = false;
  std::atomic<int> bad = 0;
  std::atomic<int> rounds = 0;
  std::mutex mutex;
  std::string first_error;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        const auto reader = store.another();
        while (!stop) {
          if (t == 0) {
            Receiver receiver;
            if (!reader->stream_each(digests, receiver).ok() || receiver.bad != 0) ++bad;
          } else {
            for (std::size_t i = 0; i < all.size(); ++i) {
              const auto bytes = reader->read(digests[i], SIZE_MAX);
              if (bytes.ok() && *bytes == all[i]) continue;
              ++bad;
              const std::lock_guard lock(mutex);
              if (first_error.empty()) first_error = bytes.ok() ? "other bytes" : bytes.error().message;
            }
          }
          ++rounds;
        }
      });
    }
    for (std::uint64_t round = 0; round < 10; ++round) {
      // A new pack of garbage each time; every third time all live packs are small and many.
      store.put_pack({random_bytes(1000 + round, 50'000)});
      SweepPlan plan = plan_for(store, marking(needed));
      for (PackSweep& pack : plan.packs) pack.rewrite = true;
      if (plan.packs.size() < store.packs().size()) {
        for (const PackId& pack : must(store.objects->packs().list())) plan.packs.push_back({pack, 0, 0, true, {}});
      }
      must(sweep(*store.objects, plan, marking(needed), nullptr));
    }
    stop = true;
  }
  INFO(first_error);
  CHECK(bad == 0);
  CHECK(rounds > 0);
}

TEST_CASE("a purge takes an object's bytes out of the store and leaves a tombstone", "[sweep][purge]") {
  const PackStore store;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 100; ++i) all.push_back(text_bytes(i, 1000));
  const std::vector<Digest> digests = store.put_pack(all);
  const std::set<Digest> needed(digests.begin(), digests.end());
  const auto open_elsewhere = store.another();
  REQUIRE(open_elsewhere->read(digests[50], 1000).ok());
  const Mark mark = marking(needed, store.objects.get());
  const SweepReport report = must(purge(*store.objects, tombstone_of(digests[50]), mark));
  CHECK(report.removed_objects == 1);
  CHECK(report.packs_removed == 1);
  CHECK(must(read_generation(store.root)) == 2);
  CHECK(in_packs(store).count(digests[50]) == 0);
  const Error purged = fail(Errc::not_found, "the object " + digests[50].hex() + " was purged: a person asked for it");
  CHECK(store.objects->read(digests[50], 1000).error() == purged);
  CHECK(store.objects->tombstone(digests[50])->reason == "a person asked for it");
  // Instances that were open before find out by themselves.
  const auto elsewhere = open_elsewhere->read(digests[50], 1000);
  if (!elsewhere.ok()) CHECK(elsewhere.error() == purged);
  CHECK(open_elsewhere->put(all[50]).error().code == Errc::invalid);
  open_elsewhere->release();
  CHECK(store.another()->read(digests[50], 1000).error() == purged);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i != 50 && store.read(digests[i]) != all[i]) FAIL("object " << i << " is not what it was");
  }
  SECTION("again, it is done already") {
    CHECK(must(purge(*store.objects, tombstone_of(digests[50]), mark)).removed_objects == 0);
    CHECK(must(read_generation(store.root)) == 2);
  }
  SECTION("what was never there cannot be purged") {
    CHECK(purge(*store.objects, tombstone_of(sha256("never")), mark).error().code == Errc::not_found);
    CHECK_FALSE(store.objects->tombstone(sha256("never")));
  }
}

TEST_CASE("a purge of a large object takes the chunks that nothing else needs", "[sweep][purge]") {
  const PackStore store;
  const std::string common = random_bytes(1, 4 * kMegabyte);
  const std::string first = common + random_bytes(2, 3 * kMegabyte);
  const std::string second = common + random_bytes(3, 3 * kMegabyte);
  const std::string dead = random_bytes(2, 3 * kMegabyte) + "and more";
  const std::vector<Digest> digests = store.put_pack({first, second, dead});
  const std::set<Digest> needed = {digests[0], digests[1]};
  const auto report = must(purge(*store.objects, tombstone_of(digests[0]), marking(needed, store.objects.get())));
  CHECK(report.removed_objects > 5);
  CHECK(report.freed_bytes > 2 * kMegabyte);
  CHECK((store.read(digests[1]) == second));
  CHECK(store.objects->read(digests[0], SIZE_MAX).error().code == Errc::not_found);
  // Lists that nothing needed and that have lost chunks are gone, too.
  CHECK_FALSE(has(store, digests[2]));
}

TEST_CASE("a purged object goes even where it is a chunk of a larger one", "[sweep][purge]") {
  const PackStore store;
  const std::string large = random_bytes(5, 4 * kMegabyte);
  const Digest whole = store.put_pack({large})[0];
  const auto list = must(store.objects->list_of(whole));
  const Digest chunk = list->refs[3].digest;
  must(purge(*store.objects, tombstone_of(chunk), marking({whole}, store.objects.get())));
  CHECK(in_packs(store).count(chunk) == 0);
  const auto read = store.objects->read(whole, SIZE_MAX);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == Errc::not_found);
  CHECK(read.error().message.find("was purged: a person asked for it") != std::string::npos);
}

TEST_CASE("a purge finds copies that no index knows", "[sweep][purge]") {
  const PackStore store;
  const Digest secret = store.put_pack({"secret", "kept"})[0];
  // A second copy, in a pack whose writer died before it was indexed.
  const Path first = store.packs()[0];
  const Path copy = store.root / "packs" / "00000000000000000000000000000001.pack";
  must(publish_file(store.scratch, copy, must(read_file(first, SIZE_MAX / 4)), 0444, Durable::no));
  must(replace_file(store.scratch, store.folder.folder("objects/quarantine") / secret.hex(), "secret", 0444,
                    Durable::no));
  must(purge(*store.objects, tombstone_of(secret), marking({sha256("kept")}, store.objects.get())));
  CHECK(in_packs(store).count(secret) == 0);
  CHECK(in_packs(store).count(sha256("kept")) == 1);
  CHECK(store.read(sha256("kept")) == "kept");
  CHECK_FALSE(is_there(store.root / "quarantine" / secret.hex()));
}

}  // namespace trainyard::sweep_test
