// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "storage/objects/collection.hpp"
#include "storage/objects/generation.hpp"
#include "storage/objects/pack_move.hpp"
#include "storage/objects/sweep.hpp"

namespace trainyard {

namespace {

// The numbers of all objects that go.
Result<std::vector<bool>> find_doomed(const Digest& purged, const Collection& collection, const ObjectCensus& census,
                                      const std::vector<bool>& live) {
  std::vector<bool> doomed(census.size());
  if (const auto number = census.find(purged)) {
    for (const std::size_t part : TRY(census.parts(*number, nullptr))) doomed[part] = !live[part];
    doomed[*number] = true;
  }
  for (std::size_t number = 0; number < census.size(); ++number) {
    if (live[number]) continue;
    // What an interrupted purge left: packs that no index named.
    if (collection.adopted.contains(census.packs()[census.pack_of(number)])) doomed[number] = true;
  }
  // A list that nothing needs would be without its chunks, and look damaged.
  for (std::size_t number = 0; number < census.size(); ++number) {
    if (live[number] || census.at(number).place.kind != pack_format::ObjectKind::list) continue;
    const auto parts = census.parts(number, nullptr);
    if (parts.ok() && std::any_of(parts->begin(), parts->end(), [&](std::size_t part) { return doomed[part]; }))
      doomed[number] = true;
  }
  return doomed;
}

// All packs in which a copy of what is doomed lies, whether the index knows of it or not.
Result<std::vector<PackId>> packs_with(PackObjects& objects, const std::set<Digest>& doomed) {
  std::vector<PackId> found;
  for (const PackId& pack : TRY(objects.packs().list())) {
    PackScan scan = TRY(PackScan::open(objects.packs().path_of(pack)));
    bool has = false;
    while (const auto record = TRY(scan.next())) {
      for (const auto& object : record->objects) has = has || doomed.contains(object.digest);
    }
    if (!scan.gaps().empty()) {
      return fail(Errc::corrupt, "the pack '" + scan.path().string() +
                                     "' is damaged and may hold what is to be purged; run 'trainyard store fsck "
                                     "--repair' and purge once more");
    }
    if (has) found.push_back(pack);
  }
  return found;
}

}  // namespace

Result<SweepReport> purge(PackObjects& objects, const Tombstone& tombstone, const Mark& mark) {
  const Collection collection = TRY(Collection::begin(objects));
  ObjectCensus census = TRY(ObjectCensus::take(objects));
  if (!census.find(tombstone.digest) && !objects.tombstone(tombstone.digest))
    return fail(Errc::not_found, "the store has no object " + tombstone.digest.hex());
  TRY(Tombstones(objects.root() / "tombstones", objects.scratch()).add(tombstone));
  TRY(objects.load_tombstones());
  const std::vector<bool> live = TRY(ask(mark, census));
  const std::vector<bool> doomed = TRY(find_doomed(tombstone.digest, collection, census, live));

  SweepReport report;
  std::set<Digest> digests = {tombstone.digest};
  for (std::size_t number = 0; number < census.size(); ++number) {
    if (!doomed[number]) continue;
    digests.insert(census.digest(number));
    ++report.removed_objects;
  }
  TRY(remove_file(objects.root() / "quarantine" / tombstone.digest.hex()));
  const std::vector<PackId> packs = TRY(packs_with(objects, digests));
  if (packs.empty()) return report;
  TRY(next_generation(objects.root(), objects.scratch()));
  PackMove move(objects);
  for (const PackId& pack : packs) {
    TRY(move.move(pack, PackMove::Gaps::refuse, [&](const Digest& digest, std::uint64_t offset) {
      const auto number = census.find(digest);
      if (!number || doomed[*number]) return false;
      const FoundObject found = census.at(*number);
      return found.pack == pack && found.place.offset == offset;
    }));
  }
  const PackMove::Done done = TRY(move.commit());
  report.packs_removed = done.packs_removed;
  report.packs_written = done.packs_written;
  report.freed_bytes = done.bytes_removed - std::min(done.bytes_written, done.bytes_removed);
  return report;
}

}  // namespace trainyard
