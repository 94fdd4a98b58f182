// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_move.hpp"

#include <utility>

#include "storage/objects/block_codec.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// As PackObjects gathers small objects.
constexpr std::size_t kMoveBlock = std::size_t{512} << 10U;

Error needs_fsck(const Path& pack, const std::string& why) {
  return fail(Errc::corrupt, "the pack '" + pack.string() + "' is damaged (" + why +
                                 "); 'trainyard store fsck --repair' saves what is left of it");
}

}  // namespace

Result<void> PackMove::move(const PackId& pack, Gaps gaps, const Stays& stays) {
  PackScan scan = TRY(PackScan::open(objects_.packs().path_of(pack)));
  while (const auto record = TRY(scan.next())) TRY(move_record(scan, *record, stays));
  if (gaps == Gaps::refuse && !scan.gaps().empty()) return needs_fsck(scan.path(), scan.gaps().front().why);
  gone_.insert(pack);
  gone_bytes_ += scan.size();
  return {};
}

Result<void> PackMove::move_record(const PackScan& scan, const PackRecord& record, const Stays& stays) {
  struct Staying {
    const RecordObject* object;
    std::size_t position;
    std::size_t number;
  };
  std::vector<Staying> staying;
  std::size_t position = 0;
  for (const RecordObject& object : record.objects) {
    if (stays(object.digest, record.offset)) {
      const NewObjects::Claim claim = fresh_.claim(object.digest);
      if (claim.first) staying.push_back({&object, position, claim.number});
    }
    position += object.length;
  }
  if (staying.empty()) return {};
  std::string bytes;
  TRY(scan.read(record, bytes));
  if (staying.size() == record.objects.size()) {
    std::vector<NewObjects::Member> members;
    for (const Staying& each : staying) members.push_back({each.number, each.object->length, each.object->kind});
    return write(record.header.coding, members,
                 std::string_view(bytes).substr(bytes.size() - record.header.payload_bytes));
  }
  Room room;
  const auto raw = raw_bytes_of(bytes, room, scan.path());
  if (!raw.ok()) return needs_fsck(scan.path(), raw.error().message);
  for (const Staying& each : staying) {
    const std::string_view object = raw->substr(each.position, each.object->length);
    const bool right =
        each.object->kind == ObjectKind::list ? read_list(object).ok() : sha256(object) == each.object->digest;
    if (!right) return needs_fsck(scan.path(), "the object " + each.object->digest.hex() + " in it has other bytes");
    const NewObjects::Member member{each.number, each.object->length, each.object->kind};
    if (record.header.coding == Coding::none) {
      TRY(write(Coding::none, {&member, 1}, object));
      continue;
    }
    if (block_.size() + object.size() > kMoveBlock) TRY(write_block());
    block_ += object;
    members_.push_back(member);
  }
  return {};
}

Result<void> PackMove::write(Coding coding, std::span<const NewObjects::Member> members, std::string_view payload) {
  bytes_ += kHeaderBytes + members.size() * kTableBytes + payload.size();
  return fresh_.write(coding, members, payload);
}

Result<void> PackMove::write_block() {
  if (members_.empty()) return {};
  const std::string_view frame = compress_block(block_);
  TRY(frame.empty() ? write(Coding::none, members_, block_) : write(Coding::zstd, members_, frame));
  block_.clear();
  members_.clear();
  return {};
}

Result<PackMove::Done> PackMove::commit() {
  TRY(write_block());
  PackChanges changes;
  changes.gone = std::exchange(gone_, {});
  changes.added = TRY(fresh_.publish(objects_.packs().folder()));
  const auto& entries = fresh_.sort();
  std::size_t next = 0;
  changes.next = [&] { return next == entries.size() ? nullptr : &entries[next++]; };
  TRY(objects_.index().replace(changes));
  fresh_.clear();
  for (const PackId& pack : changes.gone) {
    objects_.packs().forget(pack);
    TRY(remove_file(objects_.packs().path_of(pack)));
  }
  TRY(sync_folder(objects_.packs().folder()));
  return Done{changes.gone.size(), changes.added.size(), std::exchange(gone_bytes_, 0),
              std::exchange(bytes_, 0) + changes.added.size() * kPackMagic.size()};
}

}  // namespace trainyard
