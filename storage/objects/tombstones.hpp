// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What remains of a file whose bytes were taken out of the store for good: its digest, and why. A tree that names it is
// incomplete by purge, not corrupt, and the store does not take the file again. Schema: schemas/tombstone.schema.json.
struct Tombstone {
  Digest digest;
  std::uint64_t bytes = 0;
  Instant purged_at;
  std::string reason;
  std::vector<std::string>
      needed_by;  // the versions, snapshots, datasets and runs that had the file, as people name them

  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};

Json to_json(const Tombstone& tombstone);
Result<Tombstone> tombstone_from(const Json& json);

// Records in one folder, <digest>.json each.
class Tombstones {
 public:
  Tombstones(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // Durable when this returns. Keeps the older one when there is one.
  [[nodiscard]] Result<void> add(const Tombstone& tombstone) const;
  [[nodiscard]] Result<std::map<Digest, Tombstone>> load() const;

 private:
  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
