// SPDX-License-Identifier: Apache-2.0
//
// Does one thing to a store of objects and tells on standard output what is acknowledged, so that it can be killed on the
// way. Beside the objects there are records: a file records/<name> names objects, and what no record names is garbage.
//
//   objects_actor <folder> make
//   objects_actor <folder> put <name> <seed>     objects of all kinds, and their record; "put <name>"
//   objects_actor <folder> forget <name>         removes the record; "forgot <name>"
//   objects_actor <folder> sweep                 "swept"
//   objects_actor <folder> purge <digest>        "purged <digest>"
//   objects_actor <folder> repair                "repaired", and "lost <digest>" for each that is
//   objects_actor <folder> read                  everything that records name; "read"
#include <unistd.h>

#include <iostream>
#include <span>

#include "storage/objects/fsck.hpp"
#include "storage/objects/sweep.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard {
namespace {

struct Actor {
  Path root;
  Path scratch = root / "tmp";
  Path records = root / "records";

  [[nodiscard]] std::unique_ptr<PackObjects> open() const {
    return must(PackObjects::open(root / "objects", scratch, PackObjects::DamagedIndex::open));
  }
  // In one write, which is there whole or not at all.
  static void tell(const std::string& words) { must(write_all(STDOUT_FILENO, words + "\n", "standard output")); }

  void make() const {
    for (const Path& folder : {root, scratch, records}) must(make_folders(folder));
    must(PackObjects::create(root / "objects"));
    must(sync_folder(root));
  }

  void put(const std::string& name, std::uint64_t seed) const {
    const auto objects = open();
    std::string record;
    const auto add = [&](const Digest& digest) { record += digest.hex() + "\n"; };
    for (std::uint64_t i = 0; i < 6; ++i) add(must(objects->put(text_bytes(seed * 100 + i, 700 * (i + 1)))));
    // In every record.
    add(must(objects->put("shared by all")));
    add(must(objects->put("")));
    add(must(objects->put(random_bytes(seed, 20'000))));
    // The first half of a large object is that of all others.
    add(must(objects->put(random_bytes(0, 700'000) + random_bytes(seed + 1, 500'000))));
    must(objects->sync());
    must(publish_file(scratch, records / name, record, 0444, Durable::yes));
    tell("put " + name);
    objects->release();
  }

  void forget(const std::string& name) const {
    must(remove_file(records / name));
    must(sync_folder(records));
    tell("forgot " + name);
  }

  [[nodiscard]] Result<std::vector<Digest>> needed() const {
    std::vector<Digest> digests;
    for (const std::string& name : TRY(list_folder(records))) {
      const auto text = read_file(records / name, std::size_t{1} << 20U);
      if (!text.ok() && text.error().code == Errc::not_found) continue;  // forgotten just now
      for (std::size_t at = 0; at < TRY(text).size(); at += 65)
        digests.push_back(TRY(Digest::parse(text->substr(at, 64))));
    }
    return digests;
  }

  [[nodiscard]] Mark mark(const PackObjects& objects) const {
    return [this, &objects](ObjectCensus& census) -> Result<std::vector<bool>> {
      std::vector<bool> live(census.size());
      for (const Digest& digest : TRY(needed())) {
        if (objects.tombstone(digest)) continue;
        const auto number = census.find(digest);
        if (!number) return fail(Errc::corrupt, "the object " + digest.hex() + " is named and not there");
        live[*number] = true;
        for (const std::size_t part : TRY(census.parts(*number, nullptr))) live[part] = true;
      }
      return live;
    };
  }

  void sweep() const {
    const auto objects = open();
    ObjectCensus census = must(ObjectCensus::take(*objects));
    const auto live = mark(*objects)(census);
    // Without a plan there is nothing to do: somebody removes objects or has just put some.
    if (!live.ok()) return tell("not swept: " + live.error().message);
    SweepPlan plan = must(plan_sweep(*objects, census, *live));
    // Every pack, so that all is copied now and then.
    for (PackSweep& pack : plan.packs) pack.rewrite = true;
    must(trainyard::sweep(*objects, plan, mark(*objects), nullptr));
    tell("swept");
  }

  void purge(const std::string& hex) const {
    const auto objects = open();
    const Tombstone tombstone{
        must(Digest::parse(hex)), 1, must(Instant::parse("2026-01-01T00:00:00.000000Z")), "why", {}};
    must(trainyard::purge(*objects, tombstone, mark(*objects)));
    tell("purged " + hex);
  }

  void repair() const {
    const auto objects = open();
    const ObjectRepair repaired = must(repair_objects(*objects, nullptr));
    for (const Digest& digest : repaired.lost) tell("lost " + digest.hex());
    tell("repaired");
  }

  void read() const {
    struct Receiver final : ObjectReceiver {
      Result<void> piece(std::size_t, std::string_view) override { return {}; }
      Result<void> end(std::size_t, const Result<void>& verdict) override { return verdict; }
    };
    const auto objects = open();
    Receiver receiver;
    must(objects->stream_each(must(needed()), receiver));
    tell("read");
  }
};

int act(std::span<char*> words) {
  const Actor actor{Path(words[1])};
  const std::string verb = words[2];
  const auto word = [&](std::size_t index) { return std::string(index < words.size() ? words[index] : ""); };
  if (verb == "make") actor.make();
  if (verb == "put") actor.put(word(3), std::stoull(word(4)));
  if (verb == "forget") actor.forget(word(3));
  if (verb == "sweep") actor.sweep();
  if (verb == "purge") actor.purge(word(3));
  if (verb == "repair") actor.repair();
  if (verb == "read") actor.read();
  return 0;
}

}  // namespace
}  // namespace trainyard

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    return trainyard::act(std::span(argv, static_cast<std::size_t>(argc)));
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 3;
  }
}
