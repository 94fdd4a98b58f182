// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/archive_kind.hpp"

#include <cstdint>

namespace trainyard {

namespace {

// Of an entry, of the end of a zip without entries, and of a zip that was split.
constexpr std::string_view kZips[] = {"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"};
constexpr std::string_view kGzip = "\x1F\x8B";
constexpr std::string_view kZstandard = "\x28\xB5\x2F\xFD";
constexpr std::string_view kSkippable = "\x2A\x4D\x18";  // after a byte from 0x50 to 0x5F

// POSIX.1-2017, pax, "ustar Interchange Format": the sum of the header's bytes, the checksum's own taken as blanks.
bool is_tar_header(std::string_view block) {
  constexpr std::size_t kSumAt = 148;
  constexpr std::size_t kSumBytes = 8;
  if (block.size() < kArchiveKindBytes) return false;
  std::uint32_t told = 0;
  bool digits = false;
  for (const char c : block.substr(kSumAt, kSumBytes)) {
    if (c == ' ' && !digits) continue;
    if (c < '0' || c > '7') break;
    told = told * 8 + static_cast<std::uint32_t>(c - '0');
    digits = true;
  }
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kArchiveKindBytes; ++i) {
    const bool own = i >= kSumAt && i < kSumAt + kSumBytes;
    sum += own ? ' ' : static_cast<std::uint8_t>(block[i]);
  }
  return digits && told == sum;
}

}  // namespace

ArchiveKind archive_kind(std::string_view begin) {
  if (is_tar_header(begin)) return ArchiveKind::tar;
  for (const std::string_view zip : kZips) {
    if (begin.starts_with(zip)) return ArchiveKind::zip;
  }
  if (begin.starts_with(kGzip)) return ArchiveKind::gzip;
  const bool skippable =
      begin.size() > 3 && (static_cast<std::uint8_t>(begin[0]) & 0xF0U) == 0x50U && begin.substr(1, 3) == kSkippable;
  return begin.starts_with(kZstandard) || skippable ? ArchiveKind::zstandard : ArchiveKind::tar;
}

}  // namespace trainyard
