// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "storage/objects/pack_objects.hpp"

namespace trainyard {

// Reads many objects in the order in which they lie in the packs, with all cores: neighbouring records in one go, each
// record decompressed once for all its objects.
class BulkReading {
 public:
  BulkReading(PackObjects& objects, std::span<const Digest> wanted, ObjectReceiver& receiver)
      : objects_(objects), wanted_(wanted), receiver_(receiver) {}

  Result<void> run();

 private:
  struct Item {
    FoundObject found;
    std::size_t which = 0;
  };

  Result<void> locate();
  void work();
  Result<void> read_alone(std::size_t which);
  Result<void> read_span(std::span<const Item> items);
  // Hashes what was read and passes it on. Empties both.
  struct Read {
    std::vector<std::size_t> which;
    std::vector<std::string_view> objects;
  };
  Result<void> pass_on(Read& read);

  PackObjects& objects_;
  std::span<const Digest> wanted_;
  ObjectReceiver& receiver_;
  std::vector<Item> items_;                   // single records' objects, in the order of their places
  std::vector<std::span<const Item>> spans_;  // of items_, each for one reading
  std::vector<std::size_t> alone_;            // large, or not in a pack yet
  std::atomic<std::size_t> next_ = 0;         // first all alone_, then all spans_
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_
};

}  // namespace trainyard
