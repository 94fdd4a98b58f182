// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/fsck.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "storage/objects/generation.hpp"
#include "storage/objects/pack_check.hpp"
#include "storage/objects/scratch_leftovers.hpp"
#include "storage/objects/work_pool.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// The whole of one check: packs against index, and the other way round.
class Check {
 public:
  Check(PackObjects& objects, Depth depth, const FsckProgress& progress)
      : objects_(objects), progress_(progress), packs_check_(depth, hardware_threads()) {}

  Result<ObjectDamage> run();

 private:
  Result<void> open_index();
  Result<void> check_pack(const PackId& pack);
  void look(const PackId& pack, const PackRecord& record, const std::vector<bool>& good);
  void look_at_object(const PackId& pack, const RecordObject& object, const ObjectPlace& place, bool good);
  void look_for_the_unseen();
  void check_lists();
  bool is_complete(std::span<const ChunkRef> refs, std::uint32_t depth);
  void problem(std::string sentence) { damage_.problems.push_back(std::move(sentence)); }

  PackObjects& objects_;
  const FsckProgress& progress_;
  PackCheck packs_check_;
  ObjectDamage damage_;
  ObjectIndex::Segments segments_;
  std::vector<std::vector<bool>> seen_;  // by segment and entry: what it says is so
  std::set<PackId> indexed_;
  std::set<Digest> corrupt_;
  std::vector<Digest> lists_;    // good ones
  std::uint64_t strangers_ = 0;  // objects of the pack at hand that the index should name and does not
  std::uint64_t done_ = 0;
  std::uint64_t all_ = 0;
};

Result<ObjectDamage> Check::run() {
  objects_.release();
  const WriteHold hold = TRY(WriteHold::shared(objects_.root()));
  if (const auto generation = read_generation(objects_.root()); !generation.ok()) problem(generation.error().message);
  TRY(objects_.load_tombstones());
  // The index before the packs: what it names is there by then.
  TRY(open_index());
  const std::vector<PackId> packs = TRY(objects_.packs().list());
  for (const PackId& pack : packs) {
    const auto status = TRY(status_of(objects_.packs().path_of(pack)));
    if (status) all_ += static_cast<std::uint64_t>(status->st_size);
  }
  for (const PackId& pack : packs) TRY(check_pack(pack));
  look_for_the_unseen();
  damage_.corrupt.assign(corrupt_.begin(), corrupt_.end());
  if (damage_.problems.empty()) check_lists();
  for (const Leftover& leftover : TRY(find_leftovers(objects_.scratch(), Writers::may_work)))
    damage_.scratch_bytes += leftover.bytes;
  return std::move(damage_);
}

Result<void> Check::open_index() {
  const auto refreshed = objects_.index().refresh();
  if (!refreshed.ok() && refreshed.error().code != Errc::corrupt) return refreshed.error();
  const Path folder = objects_.root() / "index";
  for (const std::string& name : TRY(list_folder(folder))) {
    if (!name.ends_with(".index")) continue;
    auto segment = IndexSegment::open(folder / name);
    if (!segment.ok() && segment.error().code == Errc::not_found) continue;  // merged just now
    const auto checked = segment.ok() ? (*segment)->check() : segment.error();
    if (!checked.ok()) problem(checked.error().message);
    if (!segment.ok()) continue;
    segments_.push_back(std::move(*segment));
    seen_.emplace_back(segments_.back()->size());
    indexed_.insert(segments_.back()->packs().begin(), segments_.back()->packs().end());
  }
  return {};
}

Result<void> Check::check_pack(const PackId& pack) {
  strangers_ = 0;
  const Path path = objects_.packs().path_of(pack);
  const auto gaps = packs_check_.run(
      path, [&](const PackRecord& record, const std::vector<bool>& good) { look(pack, record, good); });
  if (!gaps.ok()) {
    problem(gaps.error().message);
    return {};
  }
  for (const PackGap& gap : *gaps) {
    problem("the pack '" + path.string() + "' has " + std::to_string(gap.bytes) + " bytes at " +
            std::to_string(gap.offset) + " that cannot be made use of: " + gap.why);
  }
  if (!indexed_.contains(pack)) {
    ++damage_.unindexed_packs;
  } else if (strangers_ > 0) {
    problem("the index lacks " + std::to_string(strangers_) + " objects of the pack '" + path.string() + "'");
  }
  return {};
}

void Check::look(const PackId& pack, const PackRecord& record, const std::vector<bool>& good) {
  ObjectPlace place{record.offset, 0, static_cast<std::uint32_t>(record.header.record_bytes()), 0, 0, {}};
  for (std::size_t i = 0; i < record.objects.size(); ++i) {
    place.length = record.objects[i].length;
    place.kind = record.objects[i].kind;
    look_at_object(pack, record.objects[i], place, good[i]);
    place.position += place.length;
  }
  damage_.objects += record.objects.size();
  done_ += place.record_bytes;
  if (progress_) progress_(done_, all_);
}

void Check::look_at_object(const PackId& pack, const RecordObject& object, const ObjectPlace& place, bool good) {
  bool known = false;  // to the index, wherever it says the object lies
  bool found = false;  // readers come to this copy
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const auto number = segments_[i]->number_of(object.digest);
    if (!number) continue;
    const ObjectPlace told = segments_[i]->entry(*number).place;
    const bool here = segments_[i]->packs()[told.pack] == pack && told.offset == place.offset &&
                      told.record_bytes == place.record_bytes && told.position == place.position &&
                      told.length == place.length && told.kind == place.kind;
    if (here) seen_[i][*number] = true;
    if (here && !known) found = true;
    known = true;
  }
  if (objects_.tombstone(object.digest)) {
    problem("the purge of " + object.digest.hex() +
            " was interrupted, its bytes are still there; 'trainyard store fsck --repair' completes it");
  } else if (!known) {
    ++strangers_;
  }
  if (!good) {
    if (found) {
      corrupt_.insert(object.digest);
    } else {
      problem("the pack '" + objects_.packs().path_of(pack).string() + "' has a damaged copy of the object " +
              object.digest.hex() + ", which nobody reads");
    }
  } else if (found && object.kind == ObjectKind::list) {
    lists_.push_back(object.digest);
  }
}

// What the index says and no pack has shown.
void Check::look_for_the_unseen() {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    std::map<PackId, std::uint64_t> missing;
    for (std::size_t number = 0; number < segments_[i]->size(); ++number) {
      if (seen_[i][number]) continue;
      const IndexEntry entry = segments_[i]->entry(number);
      if (!segments_[i]->is_possible(entry.place)) continue;
      ++missing[segments_[i]->packs()[entry.place.pack]];
      bool elsewhere = false;
      for (std::size_t other = 0; other < i; ++other) {
        const auto copy = segments_[other]->number_of(entry.digest);
        elsewhere = elsewhere || (copy && seen_[other][*copy]);
      }
      if (!elsewhere) corrupt_.insert(entry.digest);
    }
    for (const auto& [pack, objects] : missing) {
      problem("the index file '" + segments_[i]->path().string() + "' tells of " + std::to_string(objects) +
              " objects that the pack '" + objects_.packs().path_of(pack).string() + "' does not have");
    }
  }
}

void Check::check_lists() {
  for (const Digest& digest : lists_) {
    const auto list = objects_.list_of(digest);
    if (!list.ok() || !*list || !is_complete((*list)->refs, (*list)->depth)) damage_.incomplete.push_back(digest);
  }
  std::sort(damage_.incomplete.begin(), damage_.incomplete.end());
}

bool Check::is_complete(std::span<const ChunkRef> refs, std::uint32_t depth) {
  return std::all_of(refs.begin(), refs.end(), [&](const ChunkRef& ref) {
    // What was purged is missing on purpose.
    if (objects_.tombstone(ref.digest)) return true;
    if (corrupt_.contains(ref.digest) || !objects_.index().find(ref.digest)) return false;
    if (depth == 0) return true;
    const auto bytes = objects_.read(ref.digest, kMostRaw);
    const auto below = bytes.ok() ? read_refs(*bytes) : Result<std::vector<ChunkRef>>(bytes.error());
    return below.ok() && is_complete(*below, depth - 1);
  });
}

}  // namespace

Result<ObjectDamage> check_objects(PackObjects& objects, Depth depth, const FsckProgress& progress) {
  return Check(objects, depth, progress).run();
}

}  // namespace trainyard
