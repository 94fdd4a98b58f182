// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/chunking_writer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/objects/block_codec.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// Chosen by measurement: benchmarks/README.md.
constexpr Chunker::Sizes kCoarse = {std::size_t{64} << 10U, std::size_t{128} << 10U, std::size_t{512} << 10U};
constexpr Chunker::Sizes kFine = {std::size_t{4} << 10U, std::size_t{16} << 10U, std::size_t{64} << 10U};
constexpr std::size_t kChunkBuffer = std::size_t{2} << 20U;
constexpr std::size_t kMostPiece = std::size_t{256} << 10U;
// Chunks are compressed together up to this many bytes.
constexpr std::size_t kChunkBlock = std::size_t{1} << 20U;
// A list is split into lists of about this many lines, at places that its digests choose.
constexpr std::size_t kLines = 256;

bool ends_list(const ChunkRef& ref, std::size_t lines) {
  return lines >= kLines / 4 && (ref.digest.bytes()[0] == 0 || lines >= kLines * 4);
}

}  // namespace

void ChunkingWriter::Buffer::grow(std::size_t to, std::size_t kept) {
  auto larger = std::make_unique_for_overwrite<char[]>(to);
  if (kept > 0) std::memcpy(larger.get(), bytes.get(), kept);
  bytes = std::move(larger);
  size = to;
}

struct ChunkingWriter::Cutting {
  Buffer buffer;
  std::vector<ChunkRef> refs;
};

ChunkingWriter::ChunkingWriter(PackObjects& objects, Cut cut)
    : objects_(objects),
      cut_(cut),
      chunker_(cut == Cut::fine ? kFine : kCoarse),
      whole_(cut == Cut::fine ? kFine.most : kWhole),
      work_(objects.pool_) {}

Result<void> ChunkingWriter::write(std::string_view piece) {
  while (!piece.empty()) {
    // Small objects come in one piece mostly, and need no more room than that.
    if (used_ == buffer_.size) buffer_.grow(used_ == 0 && piece.size() <= whole_ ? whole_ + 1 : kChunkBuffer, used_);
    const std::size_t part = std::min(piece.size(), buffer_.size - used_);
    std::memcpy(buffer_.bytes.get() + used_, piece.data(), part);
    TRY(filled(part));
    piece.remove_prefix(part);
  }
  return {};
}

Result<void> ChunkingWriter::take(int fd, const Path& shown) {
  for (;;) {
    if (buffer_.size < kChunkBuffer) buffer_.grow(kChunkBuffer, used_);
    // Pieces that stay in the processor's cache until they are hashed.
    const std::size_t part = std::min(buffer_.size - used_, kMostPiece);
    const auto room = std::as_writable_bytes(std::span(buffer_.bytes.get() + used_, part));
    const std::size_t got = TRY(read_some(fd, room, shown));
    const bool end = got < room.size();
    TRY(filled(got));
    if (end) return {};
  }
}

Result<void> ChunkingWriter::filled(std::size_t bytes) {
  total_ += bytes;
  used_ += bytes;
  return used_ == kChunkBuffer ? cut_buffer(false) : Result<void>();
}

Result<void> ChunkingWriter::cut_buffer(bool last) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
  }
  const auto cutting = std::make_shared<Cutting>();
  std::size_t at = 0;
  while (at < used_ && (last || used_ - at >= chunker_.sizes().most)) {
    const std::size_t bytes = chunker_.cut(buffer_.view().substr(at, used_ - at));
    cutting->refs.push_back({hash_.part(buffer_.view().substr(at, bytes)), bytes});
    at += bytes;
  }
  cutting->buffer = std::exchange(buffer_, {});
  used_ -= at;
  if (!last) {
    buffer_.grow(kChunkBuffer, 0);
    std::memcpy(buffer_.bytes.get(), cutting->buffer.bytes.get() + at, used_);
  }
  TRY(objects_.hold());
  if (!putting_.owns_lock()) putting_ = std::shared_lock(objects_.putting_);
  done_.push_back(cutting);
  work_.give([this, cutting] {
    if (const auto stored = store(*cutting); !stored.ok()) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = stored.error();
    }
    cutting->buffer = {};
  });
  return {};
}

Result<void> ChunkingWriter::store(const Cutting& cutting) {
  std::size_t at = 0;
  std::vector<NewObjects::Member> members;
  std::string_view run;  // consecutive new chunks of one kind
  bool dense = false;    // their kind: bytes that do not compress
  const auto flush = [&]() -> Result<void> {
    if (members.empty()) return {};
    auto written = dense ? objects_.fresh_.write(Coding::none, members, run) : objects_.write_block(members, run);
    objects_.note(written);
    members.clear();
    return written;
  };
  for (const ChunkRef& ref : cutting.refs) {
    const std::string_view chunk = cutting.buffer.view().substr(at, ref.bytes);
    at += chunk.size();
    const auto known = objects_.is_stored(ref.digest);
    if (!known.ok()) {
      // Others may rely on what is claimed already.
      TRY(flush());
      return known.error();
    }
    const NewObjects::Claim claim = *known ? NewObjects::Claim{0, false} : objects_.fresh_.claim(ref.digest);
    const bool dense_chunk = claim.first && looks_incompressible(chunk);
    if (!members.empty() && (!claim.first || dense_chunk != dense || run.size() + chunk.size() > kChunkBlock))
      TRY(flush());
    if (!claim.first) continue;
    run = members.empty() ? chunk : std::string_view(run.data(), run.size() + chunk.size());
    dense = dense_chunk;
    members.push_back({claim.number, static_cast<std::uint32_t>(chunk.size()), ObjectKind::bytes});
  }
  return flush();
}

Result<StoredObject> ChunkingWriter::finish() {
  TRY(objects_.hold());
  if (total_ <= whole_) {
    const std::string_view bytes(buffer_.bytes.get(), used_);
    const Digest digest = sha256(bytes);
    const std::shared_lock lock(objects_.putting_);
    TRY(objects_.keep(digest, bytes, ObjectKind::bytes, cut_));
    return StoredObject{digest, total_};
  }
  TRY(cut_buffer(true));
  const Digest digest = hash_.whole();
  work_.wait();
  {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
  }
  TRY(keep_list(digest));
  putting_.unlock();
  return StoredObject{digest, total_};
}

Result<void> ChunkingWriter::keep_list(const Digest& digest) {
  ChunkList list{0, total_, {}};
  for (const auto& cutting : done_) list.refs.insert(list.refs.end(), cutting->refs.begin(), cutting->refs.end());
  // A single chunk is the object itself.
  if (list.refs.size() == 1) return {};
  while (list.refs.size() > kLines) {
    std::vector<ChunkRef> above;
    std::span<const ChunkRef> rest = list.refs;
    while (!rest.empty()) {
      std::size_t lines = 1;
      while (lines < rest.size() && !ends_list(rest[lines - 1], lines)) ++lines;
      const std::string bytes = write_refs(rest.first(lines));
      std::uint64_t covered = 0;
      for (const ChunkRef& ref : rest.first(lines)) covered += ref.bytes;
      above.push_back({sha256(bytes), covered});
      TRY(objects_.keep(above.back().digest, bytes, ObjectKind::bytes, Cut::fine));
      rest = rest.subspan(lines);
    }
    list.refs = std::move(above);
    ++list.depth;
  }
  return objects_.keep(digest, write_list(list), ObjectKind::list, Cut::fine);
}

}  // namespace trainyard
