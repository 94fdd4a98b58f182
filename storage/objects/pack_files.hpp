// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/index_segment.hpp"
#include "storage/objects/room.hpp"

namespace trainyard {

// Reads the packs of a store. Keeps the files open that were used last. Thread-safe.
class PackFiles {
 public:
  explicit PackFiles(Path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const Path& folder() const { return folder_; }
  [[nodiscard]] Path path_of(const PackId& id) const { return folder_ / (text_of(id) + ".pack"); }
  // All of `bytes`; `not_found` when there is no such pack, `corrupt` when it ends before.
  Result<void> read(const PackId& id, std::uint64_t offset, std::span<char> bytes);
  // Asks the system to have these bytes ready soon.
  void expect(const PackId& id, std::uint64_t offset, std::uint64_t bytes);
  // Closes the file, so that its space is free once it is removed.
  void forget(const PackId& id);
  // The packs that are there, sorted. Names that are none are left out.
  [[nodiscard]] Result<std::vector<PackId>> list() const;

 private:
  Result<std::shared_ptr<const UniqueFd>> open(const PackId& id);

  const Path folder_;
  std::mutex mutex_;
  std::map<PackId, std::shared_ptr<const UniqueFd>> open_;  // guarded by mutex_
};

// The raw bytes of a record: a view into it when it is stored as it is, else into `room`. `shown` names the pack.
Result<std::string_view> raw_bytes_of(std::string_view record, Room& room, const Path& shown);

}  // namespace trainyard
