// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>

#include "storage/archives/tar_writer.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kHeaderBlock = 512;
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kPrefixBytes = 155;
constexpr std::uint64_t kFirstLargeSize = std::uint64_t{1} << 33U;  // eleven octal digits hold less

// Where the fields of a header begin.
constexpr std::size_t kModeAt = 100;
constexpr std::size_t kOwnerAt = 108;
constexpr std::size_t kGroupAt = 116;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kTimeAt = 136;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kMajorAt = 329;
constexpr std::size_t kMinorAt = 337;
constexpr std::size_t kPrefixAt = 345;

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; value > 0 && i > 0; --i, value >>= 3U)
    text[i - 1] = static_cast<char>('0' + (value & 7U));
  return text;
}

struct Place {
  std::string_view prefix;
  std::string_view name;
  bool fits = true;
};

// Split at a '/' when it is longer than the one field for it.
Place place_of(std::string_view path) {
  if (path.size() <= kNameBytes) return {{}, path};
  // The first slash that leaves a short enough name; the one that ends a folder's own name is none of these.
  const std::size_t slash = path.find('/', path.size() - kNameBytes - 1);
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == path.size() || slash > kPrefixBytes) {
    return {{}, path.substr(0, kNameBytes), false};
  }
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string block_of(const Place& place, char type, unsigned mode, std::uint64_t size) {
  std::string block(kHeaderBlock, '\0');
  const auto set = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  set(0, place.name);
  set(kModeAt, octal(mode, 7));
  set(kOwnerAt, octal(0, 7));
  set(kGroupAt, octal(0, 7));
  set(kSizeAt, octal(size, 11));
  set(kTimeAt, octal(0, 11));
  set(kChecksumAt, "        ");
  block[kTypeAt] = type;
  set(kMagicAt, std::string_view("ustar\00000", 8));
  set(kMajorAt, octal(0, 7));
  set(kMinorAt, octal(0, 7));
  set(kPrefixAt, place.prefix);
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<std::uint8_t>(c);
  set(kChecksumAt, octal(sum, 6) + '\0');
  return block;
}

// The length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = 1 + key.size() + 1 + value.size() + 1;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string tar_header(const TreeEntry& entry) {
  const bool folder = entry.kind == TreeEntry::Kind::empty_folder;
  const std::string path = entry.path.bytes() + (folder ? "/" : "");
  const Place place = place_of(path);
  std::string records;
  if (!place.fits || !is_ascii(path)) {
    if (!is_utf8(path)) records += pax_record("hdrcharset", "BINARY");
    records += pax_record("path", path);
  }
  const bool large = entry.size >= kFirstLargeSize;
  if (large) records += pax_record("size", std::to_string(entry.size));

  std::string header;
  if (!records.empty()) {
    header = block_of({{}, "././@PaxHeader"}, 'x', 0644, records.size());
    header += records;
    header.resize((header.size() + kHeaderBlock - 1) / kHeaderBlock * kHeaderBlock, '\0');
  }
  const unsigned mode = folder || entry.executable ? 0755 : 0644;
  return header + block_of(place, folder ? '5' : '0', mode, large ? 0 : entry.size);
}

}  // namespace trainyard
