// SPDX-License-Identifier: Apache-2.0
// Every single call of the store of objects that changes the disk meets every kind of fault: what was acknowledged is
// there bit for bit, and the next command puts the rest right.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>

#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/fault/objects_fault_store.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::objects_fault_test {

namespace {

// Records a and b, the garbage of c, and a pack that is partly garbage.
const ObjectsFaultStore& full_store() {
  static const ObjectsFaultStore store;
  static const bool made = [] {
    for (const char* const name : {"a", "c", "b"}) store.run({"put", name, std::to_string(name[0])});
    store.run({"forget", "c"});
    return true;
  }();
  static_cast<void>(made);
  return store;
}

std::vector<ActorFault> faults_at(std::size_t at) {
  std::vector<ActorFault> faults = {{at, "kill"},         {at, "kill_after"},
                                    {at, "tear"},         {at, "fail", EIO},
                                    {at, "fail", ENOSPC}, {at, "fail_on", at % 2 == 0 ? EIO : ENOSPC}};
  // All is lost, and four times some of it.
  for (const unsigned lost : {0U, 1U, 2U, 3U, 4U})
    faults.push_back({at, "cut", 0, lost == 0 ? 0 : lost + 4 * static_cast<unsigned>(at)});
  return faults;
}

enum class Sound { always, after_the_next };

// `look` sees the store after the fault, and `again` what came of the same command without one.
template <class Look, class Again>
void every_fault(const char* what, const ObjectsFaultStore& start, const std::vector<std::string>& words, Sound sound,
                 const Look& look, const Again& again) {
  const std::size_t calls = ObjectsFaultStore(start).run(words, ActorFault{}).calls.size();
  REQUIRE(calls > 15);
  std::size_t points = 0;
  for (std::size_t at = 1; at <= calls; ++at) {
    for (const ActorFault& fault : faults_at(at)) {
      const ObjectsFaultStore store(start);
      const ActorEnd end = store.run(words, fault);
      INFO(what << ": call " << at << " of " << calls << " meets " << fault.mode << ", errno " << fault.error_number
                << ", lost " << fault.lost << "\n"
                << end.story());
      REQUIRE(end.calls.size() >= at);
      if (fault.mode.starts_with("fail")) {
        REQUIRE((end.code == 0 || end.code == 3));
        REQUIRE(end.err.empty() == (end.code == 0));
      } else {
        REQUIRE_FALSE(end.code);
      }
      if (sound == Sound::always) {
        REQUIRE(store.lost_objects() == "");
        REQUIRE(store.damage() == "");
      }
      look(store, end);
      const ActorEnd second = store.run(words);
      INFO("the second one: " << second.story());
      REQUIRE(store.lost_objects() == "");
      REQUIRE(store.damage() == "");
      again(store);
      ++points;
    }
  }
  std::cout << what << ": " << calls << " calls, " << points << " faults" << std::endl;
}

std::size_t copies_of(const ObjectsFaultStore& store, const Digest& digest) {
  std::size_t copies = 0;
  for (const std::string& name : must(list_folder(store.objects_folder() / "packs"))) {
    PackScan scan = must(PackScan::open(store.objects_folder() / "packs" / name));
    while (const auto record = must(scan.next())) {
      copies += static_cast<std::size_t>(std::count_if(record->objects.begin(), record->objects.end(),
                                                       [&](const auto& object) { return object.digest == digest; }));
    }
  }
  return copies;
}

}  // namespace

TEST_CASE("a capture that meets any fault loses nothing and acknowledges nothing wrong", "[objects_put]") {
  const std::set<std::string> before = full_store().records();
  every_fault(
      "put", full_store(), {"put", "d", "9"}, Sound::always,
      [&](const ObjectsFaultStore& store, const ActorEnd& end) {
        std::set<std::string> records = store.records();
        if (end.told("put d")) REQUIRE(records.contains("d"));
        records.erase("d");
        REQUIRE(records == before);
        // So that the second one can make it.
        static_cast<void>(remove_file(store.root() / "records" / "d"));
      },
      [](const ObjectsFaultStore& store) { REQUIRE(store.records().contains("d")); });
}

TEST_CASE("a capture that merges the index and meets any fault loses nothing", "[objects_merge]") {
  const ObjectsFaultStore full;
  for (int i = 0; i < 8; ++i) full.run({"put", std::to_string(i), std::to_string(i)});
  REQUIRE(must(list_folder(full.objects_folder() / "index")).size() == 8);
  every_fault(
      "put and merge", full, {"put", "d", "9"}, Sound::always,
      [&](const ObjectsFaultStore& store, const ActorEnd& end) {
        if (end.told("put d")) REQUIRE(store.records().contains("d"));
        REQUIRE(store.records().size() >= 8);
        static_cast<void>(remove_file(store.root() / "records" / "d"));
      },
      [](const ObjectsFaultStore& store) {
        REQUIRE(store.records().size() == 9);
        // When the first one came as far as the index, the second adds nothing to it: what is merged already goes when
        // something is added.
        REQUIRE(must(list_folder(store.objects_folder() / "index")).size() <= 10);
      });
}

TEST_CASE("a sweep that meets any fault loses nothing", "[objects_sweep]") {
  const Digest garbage = sha256(random_bytes('c', 20'000));
  REQUIRE(copies_of(full_store(), garbage) == 1);
  const auto gone = [&](const ObjectsFaultStore& store) { REQUIRE(copies_of(store, garbage) == 0); };
  every_fault(
      "sweep", full_store(), {"sweep"}, Sound::always,
      [&](const ObjectsFaultStore& store, const ActorEnd& end) {
        if (end.told("swept")) gone(store);
        // What was removed was told before: no stat cache trusts it.
        const auto generation = must(store.open()->generation());
        if (!must(store.open()->has(garbage))) REQUIRE(generation > 1);
      },
      gone);
}

TEST_CASE("a purge that meets any fault loses nothing else, and is completed by the next", "[objects_purge]") {
  const Digest purged = full_store().objects_of("a")[9];
  const auto gone = [&](const ObjectsFaultStore& store) {
    REQUIRE(copies_of(store, purged) == 0);
    REQUIRE(store.open()->tombstone(purged));
    REQUIRE(store.open()->read(purged, SIZE_MAX).error().message.find("was purged: why") != std::string::npos);
  };
  every_fault(
      "purge", full_store(), {"purge", purged.hex()}, Sound::after_the_next,
      [&](const ObjectsFaultStore& store, const ActorEnd& end) {
        REQUIRE(store.lost_objects() == "");
        if (end.told("purged " + purged.hex())) gone(store);
        if (!must(store.open()->has(purged))) REQUIRE(store.open()->tombstone(purged));
      },
      gone);
}

TEST_CASE("a repair that meets any fault is completed by the next", "[objects_repair]") {
  const ObjectsFaultStore damaged(full_store());
  const Digest broken = sha256(random_bytes('c', 20'000));  // garbage, so that no record needs it
  const Path packs = damaged.objects_folder() / "packs";
  {
    const auto objects = damaged.open();
    const FoundObject found = objects->index().find(broken).value();
    damage_file(objects->packs().path_of(found.pack), found.place.offset + found.place.record_bytes - 100, "damage");
  }
  // An index that was lost, another that is damaged, and a pack that goes on behind its last record.
  const auto indexes = must(list_folder(damaged.objects_folder() / "index"));
  REQUIRE(indexes.size() == 3);
  REQUIRE(remove_file(damaged.objects_folder() / "index" / indexes[0]).ok());
  damage_file(damaged.objects_folder() / "index" / indexes[1], 300, "damage");
  const Path last = packs / must(list_folder(packs)).back();
  damage_file(last, static_cast<std::uint64_t>(must(status_of(last))->st_size), "TYR1 and then nothing");
  REQUIRE(damaged.damage() != "");
  const auto repaired = [&](const ObjectsFaultStore& store) {
    REQUIRE(copies_of(store, broken) == 0);
    REQUIRE(is_there(store.objects_folder() / "quarantine" / broken.hex()));
  };
  every_fault(
      "repair", damaged, {"repair"}, Sound::after_the_next,
      [&](const ObjectsFaultStore& store, const ActorEnd& end) {
        if (!end.told("repaired")) return;
        repaired(store);
        REQUIRE(end.told("lost " + broken.hex()));
        REQUIRE(store.lost_objects() == "");
        REQUIRE(store.damage() == "");
      },
      repaired);
}

// What the others stand on: that a power cut takes what was not synced, and only that.
TEST_CASE("a power cut before the last sync takes what was put", "[objects_cut]") {
  const std::vector<std::string> words = {"put", "d", "9"};
  const auto calls = ObjectsFaultStore(full_store()).run(words, ActorFault{}).calls;
  std::size_t with_record = 0;
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    const ObjectsFaultStore store(full_store());
    static_cast<void>(store.run(words, ActorFault{at, "cut"}));
    INFO("cut before: " << calls[at - 1]);
    const bool synced = must(store.open()->has(sha256(random_bytes(9, 20'000))));
    if (store.records().contains("d")) ++with_record;
    const auto index_synced = std::find_if(calls.begin(), calls.end(), [](const std::string& call) {
      return call.find("fsync") != std::string::npos && call.ends_with("/objects/index");
    });
    REQUIRE(index_synced != calls.end());
    REQUIRE(synced == (static_cast<std::ptrdiff_t>(at) > index_synced - calls.begin() + 1));
    REQUIRE(must(list_folder(store.objects_folder() / "packs")).size() <= 4);
  }
  // The record itself is synced by the very last call.
  REQUIRE(with_record == 0);
}

}  // namespace trainyard::objects_fault_test
