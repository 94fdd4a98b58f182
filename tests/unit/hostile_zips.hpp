// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Zips built byte by byte, so that every statement in them can be a lie. A RawZip that is left alone is honest.
namespace trainyard {

// What both the directory and the header before the data say of an entry.
struct RawHeader {
  std::string name;
  std::uint16_t flags = 0x0800;  // the name is UTF-8
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint32_t packed = 0;
  std::uint32_t size = 0;
  std::string extra;
};

struct RawEntry {
  RawHeader local;
  RawHeader central;
  std::uint16_t made_by = 0x0314;  // Unix
  std::uint32_t attributes = 0100644U << 16U;
  std::uint16_t disk = 0;
  std::optional<std::uint32_t> offset;  // instead of the true one
  std::string data;
  std::string after;  // between the data and what follows

  // Says the same in both places.
  RawEntry& both(void (*change)(RawHeader&));
};

// Stored without compression; a name that ends with '/' makes a folder.
RawEntry raw_entry(std::string name, std::string data = "content");
// Deflated, in blocks that store.
RawEntry raw_deflated(std::string name, const std::string& data);

struct RawEnd64 {
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> directory_offset;
  std::uint32_t disks = 1;
};

struct RawZip {
  std::vector<RawEntry> entries;
  std::string before;  // the first entry
  std::string before_directory;
  std::string before_end;
  std::optional<std::uint16_t> count;
  std::optional<std::uint32_t> directory_offset;
  std::uint16_t disk = 0;
  std::string comment;
  std::optional<std::uint16_t> comment_size;
  std::optional<RawEnd64> end64;

  [[nodiscard]] std::string bytes() const;
};

std::uint32_t crc32_of(std::string_view bytes);
// The number, lowest byte first.
std::string little(std::uint64_t value, std::size_t width);

// A zip that must be refused, and a phrase that only this refusal has.
struct HostileZip {
  std::string what;
  std::string bytes;
  std::string phrase;
  bool told_by_data = false;  // only reading the data shows it, so a part may have been written
};
std::vector<HostileZip> hostile_zips();

}  // namespace trainyard
