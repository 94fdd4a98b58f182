// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_scan.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace trainyard {

namespace {

using namespace pack_format;

// Holds the table of most records.
constexpr std::size_t kScanFront = 4096;
constexpr std::size_t kScanWindow = std::size_t{1} << 20U;

bool is_damage(const Error& error) { return error.code == Errc::corrupt; }

}  // namespace

Result<PackScan> PackScan::open(const Path& path) {
  UniqueFd fd = TRY(open_file(path, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("look at", path, errno);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  PackScan scan(path, std::move(fd), static_cast<std::uint64_t>(status.st_size));
  std::string magic;
  TRY(scan.read_at(0, std::min<std::size_t>(kPackMagic.size(), scan.size_), magic));
  // Else the first eight bytes belong to no record either.
  if (magic == kPackMagic) scan.at_ = magic.size();
  return scan;
}

Result<void> PackScan::read_at(std::uint64_t offset, std::size_t bytes, std::string& to) const {
  to.resize(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd_->get(), to.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_, errno);
    if (got == 0) return fail(Errc::io, "the pack '" + path_.string() + "' became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<void> PackScan::read(const PackRecord& record, std::string& bytes) const {
  return read_at(record.offset, record.header.record_bytes(), bytes);
}

Result<PackRecord> PackScan::record_at(std::uint64_t offset) {
  const std::uint64_t left = size_ - offset;
  TRY(read_at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(left, kScanFront)), front_));
  const RecordHeader header = TRY(read_header(front_));
  if (header.record_bytes() > left) return fail(Errc::corrupt, "the pack ends within a record");
  const std::size_t front = kHeaderBytes + header.table_bytes();
  if (front > front_.size()) TRY(read_at(offset, front, front_));
  PackRecord record{offset, header, {}};
  record.objects = TRY(read_table(header, front_));
  return record;
}

Result<std::uint64_t> PackScan::search(std::uint64_t offset) {
  // The payload of a record can hold whole packs, so a place that the damaged record itself tells is tried first.
  if (const auto header = read_header(front_); header.ok() && header->record_bytes() <= size_ - offset) {
    const std::uint64_t behind = offset + header->record_bytes();
    const auto record = behind == size_ ? Result<PackRecord>(PackRecord()) : record_at(behind);
    if (record.ok()) return behind;
    if (!is_damage(record.error())) return record.error();
  }
  std::string window;
  for (std::uint64_t begin = offset + 1; begin < size_; begin += kScanWindow) {
    // A little more, for a word that lies across the end of the window.
    const std::size_t bytes = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - begin, kScanWindow + 3));
    TRY(read_at(begin, bytes, window));
    for (std::size_t at = window.find(kRecordMagic); at != std::string::npos; at = window.find(kRecordMagic, at + 1)) {
      const auto record = record_at(begin + at);
      if (record.ok()) return begin + at;
      if (!is_damage(record.error())) return record.error();
    }
  }
  return size_;
}

Result<std::optional<PackRecord>> PackScan::next() {
  while (at_ < size_) {
    auto record = record_at(at_);
    if (record.ok()) {
      at_ += record->header.record_bytes();
      return std::optional(std::move(*record));
    }
    if (!is_damage(record.error())) return record.error();
    const std::uint64_t next = TRY(search(at_));
    gaps_.push_back({at_, next - at_, record.error().message});
    at_ = next;
  }
  return std::optional<PackRecord>();
}

}  // namespace trainyard
