// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/collection.hpp"

#include <algorithm>

#include "storage/objects/pack_scan.hpp"
#include "storage/objects/scratch_leftovers.hpp"

namespace trainyard {

namespace {

Error repair_first(const Path& path, const std::string& what) {
  return fail(Errc::corrupt,
              "'" + path.string() + "' " + what +
                  "; nothing is collected before 'trainyard store fsck --repair' has made the index anew");
}

// Yields the packs that are in no index.
Result<std::vector<PackId>> unindexed(PackObjects& objects) {
  std::set<PackId> indexed;
  for (const auto& segment : *objects.index().segments()) {
    TRY(segment->check());
    indexed.insert(segment->packs().begin(), segment->packs().end());
  }
  const std::vector<PackId> there = TRY(objects.packs().list());
  for (const PackId& pack : indexed) {
    if (!std::binary_search(there.begin(), there.end(), pack))
      return repair_first(objects.packs().path_of(pack), "is in the index and not there");
  }
  std::vector<PackId> others;
  std::set_difference(there.begin(), there.end(), indexed.begin(), indexed.end(), std::back_inserter(others));
  return others;
}

Result<void> adopt(PackObjects& objects, const std::vector<PackId>& packs) {
  std::vector<IndexEntry> entries;
  for (std::uint32_t pack = 0; pack < packs.size(); ++pack) {
    PackScan scan = TRY(PackScan::open(objects.packs().path_of(packs[pack])));
    while (const auto record = TRY(scan.next())) {
      ObjectPlace place{record->offset, pack, static_cast<std::uint32_t>(record->header.record_bytes()), 0, 0, {}};
      for (const auto& object : record->objects) {
        place.length = object.length;
        place.kind = object.kind;
        // What was purged does not come back.
        if (!objects.tombstone(object.digest)) entries.push_back({object.digest, place});
        place.position += object.length;
      }
    }
    if (!scan.gaps().empty()) return repair_first(scan.path(), "is in no index, and damaged");
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const IndexEntry& a, const IndexEntry& b) { return a.digest < b.digest; });
  std::size_t next = 0;
  return objects.index().add(packs, [&] { return next == entries.size() ? nullptr : &entries[next++]; });
}

}  // namespace

Result<Collection> Collection::begin(PackObjects& objects) {
  WriteHold hold = TRY(objects.keep_writers_out());
  TRY(remove_leftovers(objects.scratch()));
  TRY(objects.load_tombstones());
  TRY(objects.index().refresh());
  const std::vector<PackId> others = TRY(unindexed(objects));
  if (!others.empty()) TRY(adopt(objects, others));
  return Collection{std::move(hold), std::set<PackId>(others.begin(), others.end())};
}

Result<std::vector<bool>> ask(const Mark& mark, ObjectCensus& census) {
  std::vector<bool> live = TRY(mark(census));
  if (live.size() != census.size()) return fail(Errc::invalid, "not every object of the store was marked");
  return live;
}

}  // namespace trainyard
