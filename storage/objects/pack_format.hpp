// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

// The bytes of packs, and of the lists of chunks in them; storage/README.md tells the whole. All numbers are little
// endian. Pure.
//
//   pack    = "TYPACK1\n" record*                           the file packs/<id>.pack
//   record  = header table payload                          nothing between two records
//   header  = "TYR1" coding objects payload_bytes raw_bytes check    32 bytes
//             coding u32: 0 as it is, 1 zstd; objects, payload_bytes, raw_bytes u32; zero u32;
//             check: the first 8 bytes of the SHA-256 of the 24 bytes before it and the table
//   table   = (digest[32] length)*                          36 bytes each; length u32, its highest bit set for a list
//   payload                                                 the raw bytes of the objects, one after another, coded
//
// An object's digest is the SHA-256 of its raw bytes. A list stands for an object too large for one record: its digest
// is that of the bytes it stands for, and its raw bytes are
//
//   list    = "TYL1" depth zero total ref* check[32]        depth u32; zero u64; total u64; check: SHA-256 of all before
//   ref     = digest[32] bytes                              bytes u64: how many of the object's bytes it covers
//
// At depth 0 each ref is a chunk; at depth n it is an object whose bytes are the refs of depth n - 1.
namespace trainyard::pack_format {

inline constexpr std::string_view kPackMagic = "TYPACK1\n";
inline constexpr std::string_view kRecordMagic = "TYR1";
inline constexpr std::size_t kHeaderBytes = 32;
inline constexpr std::size_t kTableBytes = 36;  // for each object
inline constexpr std::size_t kRefBytes = 40;
inline constexpr std::uint32_t kMostRaw = std::uint32_t{16} << 20U;  // raw bytes of one record
inline constexpr std::uint32_t kMostDepth = 8;

enum class Coding : std::uint32_t { none = 0, zstd = 1 };
enum class ObjectKind { bytes, list };

struct RecordObject {
  Digest digest;
  std::uint32_t length = 0;
  ObjectKind kind = ObjectKind::bytes;
};

struct RecordHeader {
  Coding coding = Coding::none;
  std::uint32_t objects = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t raw_bytes = 0;

  [[nodiscard]] std::size_t table_bytes() const { return objects * kTableBytes; }
  [[nodiscard]] std::size_t record_bytes() const { return kHeaderBytes + table_bytes() + payload_bytes; }
};

// Header and table of a record.
std::string record_front(Coding coding, std::span<const RecordObject> objects, std::size_t payload_bytes);
// From the first kHeaderBytes; checks all but the check.
Result<RecordHeader> read_header(std::string_view bytes);
// From header and table together; checks the check and that the lengths add up.
Result<std::vector<RecordObject>> read_table(const RecordHeader& header, std::string_view front);

struct ChunkRef {
  Digest digest;
  std::uint64_t bytes = 0;
};

struct ChunkList {
  std::uint32_t depth = 0;
  std::uint64_t total = 0;
  std::vector<ChunkRef> refs;
};

std::string write_refs(std::span<const ChunkRef> refs);
Result<std::vector<ChunkRef>> read_refs(std::string_view bytes);
std::string write_list(const ChunkList& list);
Result<ChunkList> read_list(std::string_view bytes);

// Little endian numbers in a byte string.
template <class Number>
void put_number(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    bytes += static_cast<char>(static_cast<unsigned char>(std::uint64_t{number} >> (8U * i)));
}
template <class Number>
Number get_number(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8U * i);
  return static_cast<Number>(number);
}
Digest get_digest(std::string_view bytes, std::size_t at);
void put_digest(std::string& bytes, const Digest& digest);

}  // namespace trainyard::pack_format
