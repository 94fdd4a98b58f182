// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/pack_format.hpp"

namespace trainyard {

// A record as its pack tells of it: its table fits its check and its payload is all there, right or not.
struct PackRecord {
  std::uint64_t offset = 0;
  pack_format::RecordHeader header;
  std::vector<pack_format::RecordObject> objects;
};

// Bytes of a pack that belong to no record.
struct PackGap {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string why;
};

// Goes through a pack from record to record without an index. Behind damage it looks for the next place where a record
// begins. Single-threaded but for `read`.
class PackScan {
 public:
  static Result<PackScan> open(const Path& path);

  // The next record; none at the end. Only the operating system makes it fail.
  Result<std::optional<PackRecord>> next();
  // All of the record.
  Result<void> read(const PackRecord& record, std::string& bytes) const;
  // What the scan has skipped so far.
  [[nodiscard]] const std::vector<PackGap>& gaps() const { return gaps_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  PackScan(Path path, UniqueFd fd, std::uint64_t size)
      : path_(std::move(path)), fd_(std::make_shared<const UniqueFd>(std::move(fd))), size_(size) {}

  Result<void> read_at(std::uint64_t offset, std::size_t bytes, std::string& to) const;
  // `corrupt` when no whole record begins there.
  Result<PackRecord> record_at(std::uint64_t offset);
  // Where the first record behind `offset` begins, or the end.
  Result<std::uint64_t> search(std::uint64_t offset);

  Path path_;
  std::shared_ptr<const UniqueFd> fd_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
  std::string front_;
  std::vector<PackGap> gaps_;
};

}  // namespace trainyard
