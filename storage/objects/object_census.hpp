// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/objects/pack_objects.hpp"

namespace trainyard {

// All objects of a store as they were at one moment, each with a number from 0 to size() - 1 in the order of digests.
// About 8 bytes an object and 16 a record beside the mapped index. Thread-safe once taken.
class ObjectCensus {
 public:
  // Of what is synced. An object that lies in several packs is counted once, where readers find it.
  static Result<ObjectCensus> take(PackObjects& objects);

  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] std::optional<std::size_t> find(const Digest& digest) const;
  [[nodiscard]] FoundObject at(std::size_t number) const;
  // Where its pack stands in packs().
  [[nodiscard]] std::size_t pack_of(std::size_t number) const { return pack_of(number, entry(number).place); }
  [[nodiscard]] Digest digest(std::size_t number) const;
  // What the object takes on disk: its share of its record, by raw length. All objects of a record add up to it, but for
  // those that are counted in another pack.
  [[nodiscard]] std::uint64_t stored_bytes(std::size_t number) const;
  // Numbers of all objects that a list needs, itself left out, sorted; none for other objects. What is missing is left
  // out, and told by its digest in `missing`. `corrupt` when a list cannot be read.
  Result<std::vector<std::size_t>> parts(std::size_t number, std::vector<Digest>* missing) const;
  // All that the index names, sorted.
  [[nodiscard]] const std::vector<PackId>& packs() const { return packs_; }

 private:
  struct Record {
    std::uint64_t offset;
    std::uint32_t pack;  // counts packs_
    std::uint32_t raw;   // bytes of its objects
  };

  explicit ObjectCensus(PackObjects& objects) : objects_(&objects) {}
  void number_packs();
  void order_entries();
  void measure_records();
  [[nodiscard]] IndexEntry entry(std::size_t number) const;
  [[nodiscard]] std::uint32_t pack_of(std::size_t number, const ObjectPlace& place) const;
  Result<void> add_parts(const pack_format::ChunkRef& ref, std::uint32_t depth, std::vector<std::size_t>& parts,
                         std::vector<Digest>* missing) const;

  PackObjects* objects_;
  std::shared_ptr<const ObjectIndex::Segments> segments_;
  std::vector<PackId> packs_;
  std::vector<std::vector<std::uint32_t>> numbers_;             // by segment: its own count of packs -> packs_
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order_;  // segment and entry, by digest, each digest once
  std::vector<Record> records_;                                 // by pack and offset
};

}  // namespace trainyard
