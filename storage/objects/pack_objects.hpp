// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "storage/objects/new_objects.hpp"
#include "storage/objects/object_index.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/objects/pack_files.hpp"
#include "storage/objects/tombstones.hpp"
#include "storage/objects/work_pool.hpp"
#include "storage/objects/write_hold.hpp"

namespace trainyard {

// Objects in packs; storage/README.md tells of the format. Small objects are compressed together in blocks, large ones
// cut into chunks, and what does not compress is kept as it is. Nothing of what was put has its name before `sync`: packs
// first, then the index, each durable before the next.
//
//   packs/<id>.pack            pack_format.hpp
//   index/<id>.index           index_segment.hpp
//   tombstones/<digest>.json   tombstones.hpp
//   generation                 a number in decimal
//   lock, gate                 write_hold.hpp
class PackObjects final : public ObjectStore {
 public:
  // What is there already stays.
  static Result<void> create(const Path& root);
  // `scratch` is on the same file system; what a dead process left there belongs to nobody.
  // `corrupt` when a part of the index is damaged, unless it is opened to be looked at and repaired.
  enum class DamagedIndex { refuse, open };
  static Result<std::unique_ptr<PackObjects>> open(const Path& root, const Path& scratch,
                                                   DamagedIndex damaged = DamagedIndex::refuse);
  ~PackObjects() override;

  Result<Digest> put(std::string_view bytes) override;
  Result<std::vector<Digest>> put_each(std::span<const std::string_view> contents) override;
  Result<StoredObject> put_file(int fd, std::uint64_t expected, const Path& shown) override;
  std::unique_ptr<ObjectWriter> writer(Cut cut) override;
  Result<bool> has(const Digest& digest) override;
  Result<std::uint64_t> stream(const Digest& digest, const ByteSink& sink) override;
  Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) override;
  Result<void> sync() override;
  void release() override;
  Result<std::uint64_t> generation() override;
  [[nodiscard]] std::optional<Tombstone> tombstone(const Digest& digest) const override;

  // For who looks after the store as a whole: census, sweep, fsck.
  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] const Path& scratch() const { return scratch_; }
  [[nodiscard]] ObjectIndex& index() { return index_; }
  [[nodiscard]] PackFiles& packs() { return packs_; }
  // Lets go of this store's own hold and waits until nobody else writes. REQUIRES: everything that was put is synced.
  Result<WriteHold> keep_writers_out();
  Result<void> load_tombstones();
  // What the list says; none for an object that is no list.
  Result<std::optional<pack_format::ChunkList>> list_of(const Digest& digest);

 private:
  friend class ChunkingWriter;
  friend class BulkReading;

  struct OpenBlock {
    std::string raw;
    std::vector<NewObjects::Member> members;
  };
  // The raw bytes of one record.
  struct Block {
    Room record;
    Room raw;  // not used when the record is stored as it is
    std::string_view bytes;
  };
  using Raw = std::shared_ptr<const Block>;
  // A chunk is a part of a block, which may be kept for as long as it is needed.
  using ChunkSink = std::function<Result<void>(const Raw& block, std::string_view chunk)>;
  struct Source {                       // of one object's bytes
    std::shared_ptr<PackWriter> fresh;  // for a new object, else null
    FoundObject found;
  };

  PackObjects(Path root, Path scratch);

  Result<void> hold();
  Result<bool> is_stored(const Digest& digest);
  // Puts an object of one record. `digest` is that of the bytes, or of what the list stands for.
  Result<void> keep(const Digest& digest, std::string_view bytes, pack_format::ObjectKind kind, Cut cut);
  Result<void> write_block(std::span<const NewObjects::Member> members, std::string_view raw);
  void write_in_background(OpenBlock block);
  void note(const Result<void>& done);
  // Until every object that was put has its place. REQUIRES: putting_, exclusively.
  Result<void> settle();
  Result<Source> find(const Digest& digest);
  std::shared_ptr<Block> spare_block();
  Result<Raw> raw_of(const Source& source);
  // The same, wherever the object has been moved to meanwhile.
  Result<Raw> raw_of(const Digest& digest, Source& source);
  // What became of a part of a list: one that is not there, and not by purge, makes the list corrupt.
  template <class T>
  Result<T> part(const Digest& digest, Result<T> result) const {
    if (!result.ok() && result.error().code == Errc::not_found && !tombstone(digest))
      return fail(Errc::corrupt, result.error().message);
    return result;
  }
  Result<void> stream_refs(std::span<const pack_format::ChunkRef> refs, std::uint32_t depth, const ChunkSink& sink);
  Result<void> stream_chunks(std::span<const pack_format::ChunkRef> refs, const ChunkSink& sink);

  const Path root_;
  const Path scratch_;
  ObjectIndex index_;
  PackFiles packs_;
  mutable std::mutex tombstones_mutex_;
  std::map<Digest, Tombstone> tombstones_;  // guarded by tombstones_mutex_

  std::shared_mutex putting_;  // shared by those who put, exclusive for who needs all of it to be in its place
  NewObjects fresh_;
  std::mutex open_mutex_;
  // Guarded by open_mutex_. Data, and apart from it the lists that tell what it is: damage to a block of data shall not
  // take the tree that names the files with it.
  std::array<OpenBlock, 2> open_;
  std::mutex state_mutex_;
  std::optional<WriteHold> hold_;  // guarded by state_mutex_, as is the next
  std::optional<Error> broken_;    // a record could not be written; nothing can be synced any more

  std::mutex spare_mutex_;
  std::vector<std::unique_ptr<Block>> spare_;  // guarded by spare_mutex_; outlives all blocks
  // The blocks that were read last: neighbours in a block are mostly wanted one after another.
  std::mutex recent_mutex_;
  std::list<std::pair<std::pair<PackId, std::uint64_t>, Raw>> recent_;

  WorkPool pool_;
  WorkGroup background_;  // all work in flight that writes records; after everything it needs, so that it ends first
};

}  // namespace trainyard
