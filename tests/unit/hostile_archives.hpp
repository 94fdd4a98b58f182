// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Tars built block by block and compressed by hand, so that every statement in them can be a lie.
namespace trainyard {

// One header and what follows it. Left alone it is an honest ustar file.
struct RawTarEntry {
  std::string name;
  std::string data = {};
  char type = '0';
  std::string link = {};
  unsigned mode = 0644;
  std::optional<std::string> size = {};               // the field's bytes instead of the true ones
  std::string magic = std::string("ustar\00000", 8);  // and version
  std::string tail = {};                              // the header's bytes from 345 on

  [[nodiscard]] std::string bytes() const;
};

// Two blocks of zeros.
std::string tar_end();
// "12 key=value\n", with its true length.
std::string pax_record(std::string_view key, std::string_view value);
// A header of type 'x' with these records.
std::string pax_header(const std::string& records);
// A header of type 'L' with this name for the next entry.
std::string gnu_long_name(const std::string& name);
// A GNU sparse file: where its pieces begin and how long they are, its full size, its pieces' bytes.
struct RawPiece {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};
std::string gnu_sparse(const std::string& name, const std::vector<RawPiece>& pieces, std::uint64_t size,
                       const std::string& data);

// One gzip member of stored blocks, and one Zstandard frame of raw blocks.
std::string gzipped(const std::string& bytes);
std::string zstandard(const std::string& bytes);

// An archive that must be refused, and the whole sentence after "the archive '…' is refused: ". One that ends with ": "
// goes on with words of libarchive.
struct HostileArchive {
  std::string what;
  std::string bytes;
  std::string sentence;
};
std::vector<HostileArchive> hostile_archives();

}  // namespace trainyard
