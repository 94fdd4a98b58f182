// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_objects.hpp"

#include <algorithm>
#include <thread>

#include "storage/objects/block_codec.hpp"
#include "storage/objects/chunking_writer.hpp"
#include "storage/objects/generation.hpp"
#include "storage/objects/work_pool.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/sha256_lanes.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// Objects from this size on have a record of their own.
constexpr std::size_t kOwnRecord = std::size_t{256} << 10U;
// Small objects are compressed together up to this size: more would cost who reads a single one.
constexpr std::size_t kBlock = std::size_t{512} << 10U;

}  // namespace

Result<void> PackObjects::create(const Path& root) {
  for (const char* const name : {"packs", "index", "tombstones"}) TRY(make_folders(root / name));
  return sync_folder(root);
}

Result<std::unique_ptr<PackObjects>> PackObjects::open(const Path& root, const Path& scratch, DamagedIndex damaged) {
  std::unique_ptr<PackObjects> objects(new PackObjects(root, scratch));
  const auto read = objects->index_.refresh();
  if (!read.ok() && (damaged == DamagedIndex::refuse || read.error().code != Errc::corrupt)) return read.error();
  TRY(objects->load_tombstones());
  return objects;
}

PackObjects::PackObjects(Path root, Path scratch)
    : root_(std::move(root)),
      scratch_(std::move(scratch)),
      index_(root_ / "index", scratch_),
      packs_(root_ / "packs"),
      fresh_(scratch_),
      pool_(hardware_threads()),
      background_(pool_) {}

PackObjects::~PackObjects() { background_.wait(); }

Result<void> PackObjects::hold() {
  const std::lock_guard lock(state_mutex_);
  if (broken_) return *broken_;
  if (hold_) return {};
  auto hold = TRY(WriteHold::shared(root_));
  // What was collected or purged meanwhile must not be taken for stored.
  TRY(load_tombstones());
  TRY(index_.refresh());
  hold_ = std::move(hold);
  return {};
}

void PackObjects::release() {
  const std::lock_guard lock(state_mutex_);
  hold_.reset();
}

Result<WriteHold> PackObjects::keep_writers_out() {
  if (!fresh_.empty()) return fail(Errc::invalid, "objects that were put must be synced before others are removed");
  release();
  auto hold = TRY(WriteHold::exclusive(root_, WriteHold::Wait::yes));
  return std::move(*hold);
}

Result<std::uint64_t> PackObjects::generation() {
  TRY(hold());
  return read_generation(root_);
}

Result<void> PackObjects::load_tombstones() {
  auto loaded = TRY(Tombstones(root_ / "tombstones", scratch_).load());
  const std::lock_guard lock(tombstones_mutex_);
  tombstones_ = std::move(loaded);
  return {};
}

std::optional<Tombstone> PackObjects::tombstone(const Digest& digest) const {
  const std::lock_guard lock(tombstones_mutex_);
  const auto found = tombstones_.find(digest);
  return found == tombstones_.end() ? std::nullopt : std::optional(found->second);
}

Result<bool> PackObjects::is_stored(const Digest& digest) {
  if (const auto grave = tombstone(digest)) {
    return fail(Errc::invalid, "the content " + digest.hex() + " was purged from this store (" + grave->reason +
                                   ") and is not taken in again");
  }
  return index_.find(digest).has_value();
}

Result<Digest> PackObjects::put(std::string_view bytes) {
  if (bytes.size() > ChunkingWriter::kWhole) {
    const auto writing = writer(Cut::coarse);
    TRY(writing->write(bytes));
    return TRY(writing->finish()).digest;
  }
  const Digest digest = sha256(bytes);
  TRY(hold());
  const std::shared_lock lock(putting_);
  TRY(keep(digest, bytes, ObjectKind::bytes, Cut::coarse));
  return digest;
}

Result<std::vector<Digest>> PackObjects::put_each(std::span<const std::string_view> contents) {
  const auto is_large = [](std::string_view bytes) { return bytes.size() > ChunkingWriter::kWhole; };
  if (std::any_of(contents.begin(), contents.end(), is_large)) return ObjectStore::put_each(contents);
  TRY(hold());
  std::vector<Digest> digests = sha256_each(contents);
  const std::shared_lock lock(putting_);
  for (std::size_t i = 0; i < contents.size(); ++i) TRY(keep(digests[i], contents[i], ObjectKind::bytes, Cut::coarse));
  return digests;
}

Result<StoredObject> PackObjects::put_file(int fd, std::uint64_t expected, const Path& shown) {
  TRY(hold());
  if (expected > ChunkingWriter::kWhole) {
    ChunkingWriter writing(*this, Cut::coarse);
    TRY(writing.take(fd, shown));
    return writing.finish();
  }
  thread_local std::vector<std::byte> room(ChunkingWriter::kWhole + 1);
  // One byte more than expected, so that one reading tells that this was all.
  const std::size_t first = TRY(read_once(fd, std::span(room).first(expected + 1), shown));
  const std::size_t more = first == expected ? 0 : TRY(read_some(fd, std::span(room).subspan(first), shown));
  const std::string_view bytes(reinterpret_cast<const char*>(room.data()), first + more);
  if (bytes.size() > ChunkingWriter::kWhole) {
    ChunkingWriter writing(*this, Cut::coarse);
    TRY(writing.write(bytes));
    TRY(writing.take(fd, shown));
    return writing.finish();
  }
  const Digest digest = sha256(bytes);
  const std::shared_lock lock(putting_);
  TRY(keep(digest, bytes, ObjectKind::bytes, Cut::coarse));
  return StoredObject{digest, bytes.size()};
}

std::unique_ptr<ObjectWriter> PackObjects::writer(Cut cut) { return std::make_unique<ChunkingWriter>(*this, cut); }

Result<void> PackObjects::keep(const Digest& digest, std::string_view bytes, ObjectKind kind, Cut cut) {
  if (TRY(is_stored(digest))) return {};
  const NewObjects::Claim claim = fresh_.claim(digest);
  if (!claim.first) return {};
  const NewObjects::Member member{claim.number, static_cast<std::uint32_t>(bytes.size()), kind};
  if (looks_incompressible(bytes)) {
    auto written = fresh_.write(Coding::none, {&member, 1}, bytes);
    note(written);
    return written;
  }
  if (bytes.size() >= kOwnRecord) return write_block({&member, 1}, bytes);
  OpenBlock full;
  {
    const std::lock_guard lock(open_mutex_);
    OpenBlock& open = open_[cut == Cut::fine ? 1 : 0];
    if (open.raw.capacity() == 0) open.raw.reserve(kBlock);
    open.raw += bytes;
    open.members.push_back(member);
    if (open.raw.size() + kOwnRecord / 4 < kBlock) return {};
    std::swap(full, open);
  }
  write_in_background(std::move(full));
  return {};
}

Result<void> PackObjects::write_block(std::span<const NewObjects::Member> members, std::string_view raw) {
  const std::string_view frame = compress_block(raw);
  auto written = frame.empty() ? fresh_.write(Coding::none, members, raw) : fresh_.write(Coding::zstd, members, frame);
  note(written);
  return written;
}

void PackObjects::write_in_background(OpenBlock block) {
  const auto shared = std::make_shared<const OpenBlock>(std::move(block));
  background_.give([this, shared] { static_cast<void>(write_block(shared->members, shared->raw)); });
}

void PackObjects::note(const Result<void>& done) {
  if (done.ok()) return;
  const std::lock_guard lock(state_mutex_);
  if (!broken_) broken_ = done.error();
}

Result<bool> PackObjects::has(const Digest& digest) {
  TRY(hold());
  if (fresh_.find(digest) || index_.find(digest)) return true;
  // While a sync makes the index, new objects are neither here nor there.
  const std::shared_lock lock(putting_);
  return fresh_.find(digest) || index_.find(digest);
}

Result<void> PackObjects::settle() {
  for (OpenBlock& open : open_) {
    if (open.members.empty()) continue;
    const OpenBlock last = std::exchange(open, {});
    static_cast<void>(write_block(last.members, last.raw));
  }
  background_.wait();
  const std::lock_guard lock(state_mutex_);
  if (broken_) return *broken_;
  return {};
}

Result<void> PackObjects::sync() {
  const std::unique_lock lock(putting_);
  const auto synced = [&]() -> Result<void> {
    TRY(settle());
    if (fresh_.empty()) {
      // Others may have put, and not yet synced, what was found here.
      TRY(sync_folder(root_ / "packs"));
      return sync_folder(root_ / "index");
    }
    const std::vector<PackId> ids = TRY(fresh_.publish(packs_.folder()));
    const auto& entries = fresh_.sort();
    std::size_t next = 0;
    TRY(index_.add(ids, [&] { return next == entries.size() ? nullptr : &entries[next++]; }));
    fresh_.clear();
    return {};
  }();
  note(synced);
  return synced;
}

}  // namespace trainyard
