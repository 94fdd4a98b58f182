// SPDX-License-Identifier: Apache-2.0
// The reading half of PackObjects.
#include <algorithm>
#include <deque>
#include <future>
#include <utility>
#include <vector>

#include "storage/objects/pack_objects.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

constexpr std::size_t kRecentBlocks = 8;
// Memory for blocks that is kept for the next ones.
constexpr std::size_t kSpareBlocks = 16;
// Blocks of one object that are decompressed ahead of the one that is being hashed.
constexpr std::size_t kAhead = 4;
// So often in a row an object can be moved by collectors of garbage before it is believed lost.
constexpr int kMoves = 16;

Error corrupt_object(const Digest& digest, const std::string& why) {
  return fail(Errc::corrupt, "the object " + digest.hex() + " is corrupt: " + why);
}

}  // namespace

Result<PackObjects::Source> PackObjects::find(const Digest& digest) {
  auto fresh = fresh_.find(digest);
  if (fresh && fresh->pack == nullptr) {
    const std::unique_lock lock(putting_);
    TRY(settle());
    fresh = fresh_.find(digest);
  }
  if (fresh) return Source{fresh->pack, {{}, fresh->place}};
  if (const auto found = index_.find(digest)) return Source{nullptr, *found};
  {
    // While a sync makes the index, new objects are neither here nor there.
    const std::shared_lock lock(putting_);
    if (const auto found = index_.find(digest)) return Source{nullptr, *found};
  }
  // Another process may have put it, or moved it, since this one looked.
  TRY(index_.refresh());
  if (const auto found = index_.find(digest)) return Source{nullptr, *found};
  TRY(load_tombstones());
  if (const auto grave = tombstone(digest))
    return fail(Errc::not_found, "the object " + digest.hex() + " was purged: " + grave->reason);
  return fail(Errc::not_found, "the store has no object " + digest.hex());
}

std::shared_ptr<PackObjects::Block> PackObjects::spare_block() {
  std::unique_ptr<Block> block;
  {
    const std::lock_guard lock(spare_mutex_);
    if (!spare_.empty()) {
      block = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (!block) block = std::make_unique<Block>();
  return {block.release(), [this](Block* used) {
            std::unique_ptr<Block> owned(used);
            const std::lock_guard lock(spare_mutex_);
            if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(owned));
          }};
}

Result<PackObjects::Raw> PackObjects::raw_of(const Source& source) {
  const auto& [pack, place] = source.found;
  const std::pair key(pack, place.offset);
  if (!source.fresh) {
    const std::lock_guard lock(recent_mutex_);
    for (auto block = recent_.begin(); block != recent_.end(); ++block) {
      if (block->first != key) continue;
      recent_.splice(recent_.begin(), recent_, block);
      return block->second;
    }
  }
  auto raw = spare_block();
  const std::span<char> record = raw->record.of(place.record_bytes);
  const Path shown = source.fresh ? scratch_ : packs_.path_of(pack);
  TRY(source.fresh ? source.fresh->read_back(place.offset, record) : packs_.read(pack, place.offset, record));
  raw->bytes = TRY(raw_bytes_of({record.data(), record.size()}, raw->raw, shown));
  if (place.position + std::uint64_t{place.length} > raw->bytes.size())
    return fail(Errc::corrupt, "the pack '" + shown.string() + "' has a record that is shorter than its index says");
  if (source.fresh) return Raw(std::move(raw));
  const std::lock_guard lock(recent_mutex_);
  recent_.emplace_front(key, raw);
  if (recent_.size() > kRecentBlocks) recent_.pop_back();
  return Raw(std::move(raw));
}

Result<PackObjects::Raw> PackObjects::raw_of(const Digest& digest, Source& source) {
  auto raw = raw_of(source);
  for (int again = 0; !raw.ok() && raw.error().code == Errc::not_found && again < kMoves; ++again) {
    // The pack was collected since its index was read; what is needed of it lies in another.
    TRY(index_.refresh());
    source = TRY(find(digest));
    raw = raw_of(source);
  }
  return raw;
}

Result<std::optional<ChunkList>> PackObjects::list_of(const Digest& digest) {
  Source source = TRY(find(digest));
  if (source.found.place.kind != ObjectKind::list) return std::optional<ChunkList>();
  const auto raw = raw_of(digest, source);
  if (!raw.ok()) return raw.error().code == Errc::io ? raw.error() : corrupt_object(digest, raw.error().message);
  auto list = read_list((*raw)->bytes.substr(source.found.place.position, source.found.place.length));
  if (!list.ok()) return corrupt_object(digest, list.error().message);
  return std::optional<ChunkList>(std::move(*list));
}

namespace {

// A SHA-256 that the pool computes a little behind the thread that passes the chunks on.
class TrailingHash {
 public:
  explicit TrailingHash(WorkPool& pool) : work_(pool) {}

  void update(const std::shared_ptr<const void>& block, std::string_view chunk) {
    chunks_.emplace_back(block, chunk);
    bytes_ += chunk.size();
    if (bytes_ >= kBatch) hash_batch();
  }
  Digest finish() {
    hash_batch();
    work_.wait();
    return hash_.finish();
  }

 private:
  using Chunks = std::vector<std::pair<std::shared_ptr<const void>, std::string_view>>;
  // Handing work over costs as much as hashing some hundred kilobytes.
  static constexpr std::size_t kBatch = std::size_t{2} << 20U;

  void hash_batch() {
    work_.wait();
    bytes_ = 0;
    work_.give([this, chunks = std::make_shared<const Chunks>(std::exchange(chunks_, {}))] {
      for (const auto& [block, chunk] : *chunks) hash_.update(chunk);
    });
  }

  Chunks chunks_;
  std::size_t bytes_ = 0;
  Sha256 hash_;
  WorkGroup work_;  // ends before the hash does
};

}  // namespace

Result<std::uint64_t> PackObjects::stream(const Digest& digest, const ByteSink& sink) {
  Source source = TRY(find(digest));
  const auto raw = raw_of(digest, source);
  if (!raw.ok()) return raw.error().code == Errc::io ? raw.error() : corrupt_object(digest, raw.error().message);
  const ObjectPlace& place = source.found.place;
  const std::string_view bytes = (*raw)->bytes.substr(place.position, place.length);
  if (place.kind == ObjectKind::bytes) {
    if (sha256(bytes) != digest) return corrupt_object(digest, "its bytes have another digest");
    TRY(sink(bytes));
    return std::uint64_t{bytes.size()};
  }
  const auto list = read_list(bytes);
  if (!list.ok()) return corrupt_object(digest, list.error().message);
  TrailingHash hash(pool_);
  const auto streamed = stream_refs(list->refs, list->depth, [&](const Raw& block, std::string_view chunk) {
    hash.update(block, chunk);
    return sink(chunk);
  });
  if (!streamed.ok()) {
    if (streamed.error().code == Errc::corrupt) return corrupt_object(digest, streamed.error().message);
    if (streamed.error().code == Errc::not_found)
      return fail(Errc::not_found, "the object " + digest.hex() + " is incomplete: " + streamed.error().message);
    return streamed.error();
  }
  if (hash.finish() != digest) return corrupt_object(digest, "its chunks together have another digest");
  return list->total;
}

Result<void> PackObjects::stream_refs(std::span<const ChunkRef> refs, std::uint32_t depth, const ChunkSink& sink) {
  if (depth == 0) return stream_chunks(refs, sink);
  for (const ChunkRef& ref : refs) {
    std::string bytes;
    TRY(part(ref.digest, stream(ref.digest, [&](std::string_view piece) -> Result<void> {
               bytes += piece;
               return {};
             })));
    TRY(stream_refs(TRY(read_refs(bytes)), depth - 1, sink));
  }
  return {};
}

// Chunks that were new together share a record, so consecutive ones mostly do: each record is read and decompressed
// once, by the pool, some records ahead of the one whose chunks go to the sink.
Result<void> PackObjects::stream_chunks(std::span<const ChunkRef> refs, const ChunkSink& sink) {
  struct Upcoming {
    Source source;
    std::vector<std::size_t> which;                               // of refs
    std::vector<std::pair<std::uint32_t, std::uint32_t>> slices;  // position and length of each
    std::future<Result<Raw>> raw;
  };
  std::deque<Upcoming> ahead;
  std::size_t next = 0;
  const auto prepare = [&]() -> Result<void> {
    Upcoming block;
    while (next < refs.size()) {
      const Source source = TRY(part(refs[next].digest, find(refs[next].digest)));
      const ObjectPlace& place = source.found.place;
      if (place.kind != ObjectKind::bytes || place.length != refs[next].bytes)
        return fail(Errc::corrupt, "its chunk " + refs[next].digest.hex() + " is not what its list says");
      if (!block.slices.empty() &&
          (source.fresh != block.source.fresh || source.found.pack != block.source.found.pack ||
           place.pack != block.source.found.place.pack || place.offset != block.source.found.place.offset)) {
        break;
      }
      if (block.slices.empty()) block.source = source;
      block.slices.emplace_back(place.position, place.length);
      block.which.push_back(next++);
    }
    auto work =
        std::make_shared<std::packaged_task<Result<Raw>()>>([this, source = block.source] { return raw_of(source); });
    block.raw = work->get_future();
    ahead.push_back(std::move(block));
    pool_.give([work] { (*work)(); });
    return {};
  };
  while (next < refs.size() || !ahead.empty()) {
    while (next < refs.size() && ahead.size() < kAhead) TRY(prepare());
    Upcoming block = std::move(ahead.front());
    ahead.pop_front();
    const Result<Raw> read = block.raw.get();
    if (!read.ok() && read.error().code == Errc::not_found) {
      // The pack has been collected since its chunks were looked up.
      for (const std::size_t which : block.which) {
        const auto copy = [&](std::string_view piece) {
          const auto kept = std::make_shared<Block>();
          std::copy(piece.begin(), piece.end(), kept->raw.of(piece.size()).begin());
          kept->bytes = {kept->raw.of(piece.size()).data(), piece.size()};
          return sink(kept, kept->bytes);
        };
        TRY(part(refs[which].digest, stream(refs[which].digest, copy)));
      }
      continue;
    }
    const Raw raw = TRY(read);
    for (const auto& [position, length] : block.slices) {
      if (position + std::uint64_t{length} > raw->bytes.size())
        return fail(Errc::corrupt, "a chunk ends after its record does");
      TRY(sink(raw, raw->bytes.substr(position, length)));
    }
  }
  return {};
}

}  // namespace trainyard
