// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/objects/index_segment.hpp"
#include "storage/objects/pack_writer.hpp"

namespace trainyard {

// The objects that were put and are not synced yet: records of new packs in the scratch folder, and where in them each
// object lies. Thread-safe but for `publish`.
class NewObjects {
 public:
  struct Claim {
    std::size_t number;  // of the object, for its Member
    bool first;          // nobody has claimed it before; the caller owes it a place
  };
  struct Member {
    std::size_t number;
    std::uint32_t length;
    pack_format::ObjectKind kind;
  };

  explicit NewObjects(Path scratch) : scratch_(std::move(scratch)) {}

  Claim claim(const Digest& digest);
  // Appends a record with these objects, one after another in `payload`, and gives each its place.
  Result<void> write(pack_format::Coding coding, std::span<const Member> members, std::string_view payload);

  struct Found {
    std::shared_ptr<PackWriter> pack;  // null while its bytes are still on their way to a record
    ObjectPlace place;
  };
  // From `sort` on none: look into the index.
  [[nodiscard]] std::optional<Found> find(const Digest& digest) const;

  [[nodiscard]] bool empty() const;
  // Makes the packs durable and gives them their names in `folder`. Every claim has its place by now.
  Result<std::vector<PackId>> publish(const Path& folder);
  // By digest. REQUIRES: published; the next call is `clear`.
  const std::deque<IndexEntry>& sort();
  void clear();

 private:
  [[nodiscard]] std::size_t slot_of(const Digest& digest) const;  // REQUIRES: mutex_
  void grow();                                                    // REQUIRES: mutex_
  Result<std::uint32_t> pack_to_write();                          // REQUIRES: nothing held

  const Path scratch_;
  mutable std::mutex mutex_;
  std::deque<IndexEntry> entries_;    // guarded by mutex_; record_bytes is 0 until it has its place
  std::vector<std::uint32_t> slots_;  // guarded by mutex_; open addressing, a number + 1 or 0
  mutable std::mutex packs_mutex_;
  std::vector<std::shared_ptr<PackWriter>> packs_;  // guarded by packs_mutex_; the last one grows
};

}  // namespace trainyard
