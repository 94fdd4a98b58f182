// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/pack_format.hpp"
#include "storage/values/digest.hpp"

namespace trainyard {

// The name of a pack and of its file: 32 hexadecimal digits, later ones greater.
using PackId = std::array<std::uint8_t, 16>;
PackId new_pack_id();
std::string text_of(const PackId& id);
std::optional<PackId> parse_pack_id(std::string_view text);

// Where an object's bytes lie.
struct ObjectPlace {
  std::uint64_t offset = 0;        // of its record in the pack
  std::uint32_t pack = 0;          // an index into a list of packs
  std::uint32_t record_bytes = 0;  // all of the record
  std::uint32_t position = 0;      // of the object in the record's raw bytes
  std::uint32_t length = 0;        // of its raw bytes
  pack_format::ObjectKind kind = pack_format::ObjectKind::bytes;
};

struct IndexEntry {
  Digest digest;
  ObjectPlace place;
};

// A part of the index: the places of the objects of some packs, in one file that is written once and read where it lies
// in memory. The index is the sum of all segments; it holds nothing that the packs do not tell. Thread-safe.
//
//   segment = "TYINDEX1" packs zero id* entry* check            packs u32, zero u32; check: SHA-256 of all before it
//   id      = 16 bytes
//   entry   = digest[32] offset pack record_bytes position length    56 bytes, sorted by digest; offset u64, others u32;
//                                                               pack counts the ids; length as in a pack's table
class IndexSegment {
 public:
  // `corrupt` when its frame is not that of a segment. The check is for `check`.
  static Result<std::shared_ptr<const IndexSegment>> open(const Path& path);
  // Makes the segment appear under its name, durable but for the folder's entry. Entries come sorted by digest until
  // `next` yields null; of several with one digest the first stays.
  static Result<void> write(const Path& scratch, const Path& path, const std::vector<PackId>& packs,
                            const std::function<const IndexEntry*()>& next);

  ~IndexSegment();
  IndexSegment(const IndexSegment&) = delete;
  IndexSegment& operator=(const IndexSegment&) = delete;

  [[nodiscard]] std::optional<ObjectPlace> find(const Digest& digest) const;
  // For `entry`.
  [[nodiscard]] std::optional<std::size_t> number_of(const Digest& digest) const;
  [[nodiscard]] IndexEntry entry(std::size_t index) const;
  // False for what only a damaged segment says.
  [[nodiscard]] bool is_possible(const ObjectPlace& place) const;
  [[nodiscard]] std::size_t size() const { return entries_; }
  [[nodiscard]] const std::vector<PackId>& packs() const { return packs_; }
  [[nodiscard]] const Path& path() const { return path_; }
  // Reads all of it: `corrupt` when it is not what was written.
  [[nodiscard]] Result<void> check() const;

 private:
  IndexSegment(Path path, const char* bytes, std::size_t size) : path_(std::move(path)), bytes_(bytes), size_(size) {}

  Path path_;
  const char* bytes_;  // mapped
  std::size_t size_;
  std::vector<PackId> packs_;
  std::size_t entries_ = 0;
  const char* first_ = nullptr;
};

// What becomes of the packs of segments when these are merged.
struct PackChanges {
  std::set<PackId> gone;      // their entries are left out
  std::vector<PackId> added;  // which `next` counts
  std::function<const IndexEntry*()> next =
      nullptr;  // their entries, as for IndexSegment::write; they win over older ones
};

// One segment with the entries of all, written under `path`.
Result<void> merge_segments(const Path& scratch, const Path& path,
                            std::span<const std::shared_ptr<const IndexSegment>> segments,
                            const PackChanges& changes = {});

// The first 32 bits of a digest, as a number: where it lies among all digests.
inline std::uint64_t rank_of(const Digest& digest) {
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < 4; ++i) rank = (rank << 8U) | digest.bytes()[i];
  return rank;
}

}  // namespace trainyard
