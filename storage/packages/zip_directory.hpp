// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

// One entry as the zip's directory states it.
struct ZipEntry {
  std::string name;          // as stored; any bytes
  std::uint64_t size = 0;    // bytes once unpacked
  std::uint64_t packed = 0;  // bytes in the zip
  std::uint64_t offset = 0;  // of its local header
  std::uint32_t crc = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;      // 0 stored, 8 deflated
  std::uint8_t host = 0;         // the system that the attributes are meant for; 3 is Unix
  std::uint32_t attributes = 0;  // a Unix mode in the high half, MS-DOS attributes in the low byte

  [[nodiscard]] bool folder() const { return name.ends_with('/'); }
};

// What is in a zip and where, read from its own bytes. A zip says most things twice: in the directory at its end and in
// a header before each entry, and programs differ in which one they believe. Here both must agree, every byte of the
// file must belong to exactly one thing, and all is within the limits. The grammar is PKWARE's APPNOTE 6.3:
//
//   zip = { local header, data, [ descriptor ] }  directory  [ end record 64, locator ]  end record
//
// The names are not judged here (that is ZipNames), and no data is unpacked.
struct ZipDirectory {
  std::vector<ZipEntry> entries;  // in the order of the directory; at least one
  std::uint64_t end_record = 0;   // offset of the end record
};

// How much one may hold.
struct ZipLimits {
  std::uint64_t entries = limits::kZipEntries;
  std::uint64_t entry_bytes = limits::kZipEntryBytes;
  std::uint64_t total_bytes = limits::kZipTotalBytes;
  std::uint64_t entry_ratio = limits::kZipRatio;  // above limits::kZipRatioFloor
  std::uint64_t directory_bytes = limits::kZipDirectoryBytes;
};

// `fd` is a regular file; its position stays. The errors are `invalid`, say which rule is broken, and leave it to the
// caller to name the zip; `zip` is for errors of the file system.
Result<ZipDirectory> read_zip_directory(int fd, const Path& zip, const ZipLimits& most = {});

// "the entry 'a/b' is encrypted": `invalid`, with the name fit for a terminal.
Error refused_entry(std::string_view name, std::string_view rule);

}  // namespace trainyard
