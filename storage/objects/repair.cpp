// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ctime>
#include <set>
#include <thread>
#include <tuple>

#include "storage/objects/fsck.hpp"
#include "storage/objects/generation.hpp"
#include "storage/objects/pack_check.hpp"
#include "storage/objects/pack_move.hpp"
#include "storage/objects/scratch_leftovers.hpp"
#include "storage/objects/work_pool.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

class Repair {
 public:
  Repair(PackObjects& objects, const FsckProgress& progress) : objects_(objects), progress_(progress) {}

  Result<ObjectRepair> run();

 private:
  struct Bad {
    Digest digest;
    ObjectPlace place;
  };

  Result<void> read_packs();
  void look(std::uint32_t pack, const PackRecord& record, const std::vector<bool>& good);
  void choose_copies();
  void find_lost();
  [[nodiscard]] bool is_good(const Digest& digest) const;
  Result<void> quarantine();
  Result<std::string> remains_of(const Bad& bad);
  Result<void> set_generation();
  Result<void> replace_index();
  Result<void> rewrite_damaged_packs();

  PackObjects& objects_;
  const FsckProgress& progress_;
  ObjectRepair repair_;
  bool index_damaged_ = false;
  std::vector<PackId> packs_;
  std::set<std::uint32_t> damaged_;  // packs with bytes that must not stay
  std::vector<IndexEntry> good_;     // after choose_copies: by digest, each once
  std::vector<Bad> bad_;
  std::uint64_t done_ = 0;
  std::uint64_t all_ = 0;
};

Result<ObjectRepair> Repair::run() {
  const WriteHold hold = TRY(objects_.keep_writers_out());
  TRY(remove_leftovers(objects_.scratch()));
  TRY(objects_.load_tombstones());
  const auto refreshed = objects_.index().refresh();
  if (!refreshed.ok() && refreshed.error().code != Errc::corrupt) return refreshed.error();
  index_damaged_ = !refreshed.ok();
  for (const auto& segment : *objects_.index().segments()) index_damaged_ = index_damaged_ || !segment->check().ok();
  TRY(read_packs());
  choose_copies();
  find_lost();
  TRY(quarantine());
  // Nobody shall remember what was there before.
  if (index_damaged_ || !repair_.lost.empty() || !damaged_.empty() || !read_generation(objects_.root()).ok())
    TRY(set_generation());
  TRY(replace_index());
  TRY(rewrite_damaged_packs());
  return std::move(repair_);
}

Result<void> Repair::read_packs() {
  packs_ = TRY(objects_.packs().list());
  for (const PackId& pack : packs_) {
    const auto status = TRY(status_of(objects_.packs().path_of(pack)));
    if (status) all_ += static_cast<std::uint64_t>(status->st_size);
  }
  PackCheck check(Depth::every_byte, hardware_threads());
  for (std::uint32_t pack = 0; pack < packs_.size(); ++pack) {
    const auto gaps =
        TRY(check.run(objects_.packs().path_of(packs_[pack]),
                      [&](const PackRecord& record, const std::vector<bool>& good) { look(pack, record, good); }));
    if (!gaps.empty()) damaged_.insert(pack);
  }
  return {};
}

void Repair::look(std::uint32_t pack, const PackRecord& record, const std::vector<bool>& good) {
  ObjectPlace place{record.offset, pack, static_cast<std::uint32_t>(record.header.record_bytes()), 0, 0, {}};
  for (std::size_t i = 0; i < record.objects.size(); ++i) {
    const RecordObject& object = record.objects[i];
    place.length = object.length;
    place.kind = object.kind;
    if (!good[i]) bad_.push_back({object.digest, place});
    // A purge that was interrupted is completed.
    if (!good[i] || objects_.tombstone(object.digest)) {
      damaged_.insert(pack);
    } else {
      good_.push_back({object.digest, place});
    }
    place.position += place.length;
  }
  done_ += place.record_bytes;
  if (progress_) progress_(done_, all_);
}

void Repair::choose_copies() {
  // Of several copies the first one stays, but rather whole than as a list.
  const auto key = [](const IndexEntry& entry) {
    return std::tuple(std::cref(entry.digest), entry.place.kind, entry.place.pack, entry.place.offset);
  };
  std::sort(good_.begin(), good_.end(), [&](const IndexEntry& a, const IndexEntry& b) { return key(a) < key(b); });
  const auto same = [](const IndexEntry& a, const IndexEntry& b) { return a.digest == b.digest; };
  good_.erase(std::unique(good_.begin(), good_.end(), same), good_.end());
  for (const IndexEntry& entry : good_) {
    if (!objects_.index().find(entry.digest)) ++repair_.indexed;
  }
}

bool Repair::is_good(const Digest& digest) const {
  const auto place =
      std::lower_bound(good_.begin(), good_.end(), digest,
                       [](const IndexEntry& entry, const Digest& wanted) { return entry.digest < wanted; });
  return place != good_.end() && place->digest == digest;
}

void Repair::find_lost() {
  std::set<Digest> lost;
  for (const Bad& bad : bad_) lost.insert(bad.digest);
  // A damaged index may tell of objects that never were.
  for (const auto& segment : *objects_.index().segments()) {
    if (!segment->check().ok()) continue;
    for (std::size_t number = 0; number < segment->size(); ++number) {
      const Digest digest = segment->entry(number).digest;
      if (!is_good(digest)) lost.insert(digest);
    }
  }
  for (const Digest& digest : lost) {
    if (!is_good(digest) && !objects_.tombstone(digest)) repair_.lost.push_back(digest);
  }
}

Result<void> Repair::quarantine() {
  for (const Bad& bad : bad_) {
    if (!std::binary_search(repair_.lost.begin(), repair_.lost.end(), bad.digest)) continue;
    const Path folder = objects_.root() / "quarantine";
    if (repair_.quarantine.empty()) {
      TRY(make_folders(folder));
      TRY(sync_folder(objects_.root()));
      repair_.quarantine = folder;
    }
    TRY(replace_file(objects_.scratch(), folder / bad.digest.hex(), TRY(remains_of(bad)), 0444, Durable::yes));
  }
  return {};
}

// The object's bytes, as wrong as they are; of a record that cannot be decompressed all that was stored.
Result<std::string> Repair::remains_of(const Bad& bad) {
  std::string record(bad.place.record_bytes, '\0');
  TRY(objects_.packs().read(packs_[bad.place.pack], bad.place.offset, record));
  Room room;
  const auto raw = raw_bytes_of(record, room, objects_.packs().path_of(packs_[bad.place.pack]));
  if (raw.ok()) return std::string(raw->substr(bad.place.position, bad.place.length));
  return record.substr(record.size() - TRY(read_header(record)).payload_bytes);
}

Result<void> Repair::set_generation() {
  if (read_generation(objects_.root()).ok()) return next_generation(objects_.root(), objects_.scratch());
  // A number that was never there before: removals are not as many as the microseconds.
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto micros =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  return replace_file(objects_.scratch(), objects_.root() / "generation", std::to_string(micros) + "\n", 0444,
                      Durable::yes);
}

Result<void> Repair::replace_index() {
  PackChanges changes;
  for (const auto& segment : *objects_.index().segments())
    changes.gone.insert(segment->packs().begin(), segment->packs().end());
  changes.added = packs_;
  std::size_t next = 0;
  changes.next = [&] { return next == good_.size() ? nullptr : &good_[next++]; };
  return objects_.index().replace(changes);
}

Result<void> Repair::rewrite_damaged_packs() {
  if (damaged_.empty()) return {};
  PackMove move(objects_);
  for (const std::uint32_t pack : damaged_) {
    TRY(move.move(packs_[pack], PackMove::Gaps::leave, [&](const Digest& digest, std::uint64_t offset) {
      const auto found = objects_.index().find(digest);
      return found && found->pack == packs_[pack] && found->place.offset == offset;
    }));
  }
  TRY(move.commit());
  return {};
}

}  // namespace

Result<ObjectRepair> repair_objects(PackObjects& objects, const FsckProgress& progress) {
  return Repair(objects, progress).run();
}

}  // namespace trainyard
