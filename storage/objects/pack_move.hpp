// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "storage/objects/pack_objects.hpp"
#include "storage/objects/pack_scan.hpp"

namespace trainyard {

// Packs on their way out of the store, and what stays of them on its way into new ones. For who holds the store alone.
// Until `commit` the store is as before; a move that is given up leaves nothing.
class PackMove {
 public:
  // Whether the copy of an object that lies in the record at this offset stays in the store.
  using Stays = std::function<bool(const Digest& digest, std::uint64_t offset)>;
  // What to do about bytes of a pack that belong to no record: give up, or leave them behind.
  enum class Gaps { refuse, leave };

  explicit PackMove(PackObjects& objects) : objects_(objects), fresh_(objects.scratch()) {}

  // Records of which all stays are copied as they are, others are made anew. `corrupt` when those hold other bytes than
  // their digests say.
  Result<void> move(const PackId& pack, Gaps gaps, const Stays& stays);
  // Of the new packs, so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  struct Done {
    std::uint64_t packs_removed = 0;
    std::uint64_t packs_written = 0;
    std::uint64_t bytes_removed = 0;
    std::uint64_t bytes_written = 0;
  };
  // New packs, then a new index, then away with the old ones; each durable before the next. Can be begun again with
  // other packs afterwards.
  Result<Done> commit();

 private:
  Result<void> move_record(const PackScan& scan, const PackRecord& record, const Stays& stays);
  Result<void> write(pack_format::Coding coding, std::span<const NewObjects::Member> members, std::string_view payload);
  Result<void> write_block();

  PackObjects& objects_;
  NewObjects fresh_;
  std::set<PackId> gone_;
  std::uint64_t bytes_ = 0;
  std::uint64_t gone_bytes_ = 0;
  std::string block_;                        // raw bytes of objects whose records do not stay as they are
  std::vector<NewObjects::Member> members_;  // of block_
};

}  // namespace trainyard
