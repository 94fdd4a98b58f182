// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/objects/index_segment.hpp"

namespace trainyard {

// An object that has been found: its pack by name.
struct FoundObject {
  PackId pack{};
  ObjectPlace place;
};

// All segments of a store's index, as of the last `refresh`. Thread-safe.
class ObjectIndex {
 public:
  using Segments = std::vector<std::shared_ptr<const IndexSegment>>;

  ObjectIndex(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // Looks which segments there are now. `corrupt` when one is damaged; the others are read all the same.
  Result<void> refresh();
  [[nodiscard]] std::optional<FoundObject> find(const Digest& digest) const;
  [[nodiscard]] std::shared_ptr<const Segments> segments() const;
  // A new segment, durable when this returns, found from then on. Merges small segments when they have become many.
  Result<void> add(const std::vector<PackId>& packs, const std::function<const IndexEntry*()>& next);
  // One new segment instead of all, durable when this returns, and not before the old ones are gone; what is no readable
  // segment in the folder goes too. For who holds the store alone.
  Result<void> replace(const PackChanges& changes);

 private:
  Result<void> read_folder();
  Result<void> merge_small();

  const Path folder_;
  const Path scratch_;
  std::mutex refreshing_;  // taken before mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<const Segments> segments_ = std::make_shared<Segments>();  // guarded by mutex_
};

}  // namespace trainyard
