// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/zip_content.hpp"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "storage/packages/zip_directory.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kInflateBuffer = std::size_t{256} << 10U;
constexpr std::uint64_t kLocalHeaderSize = 30;
constexpr std::uint16_t kDeflated = 8;

// The ratio is that of the whole archive: one file may well be all zeros.
constexpr ZipLimits kMost = {limits::kArchiveEntries, limits::kArchiveTotalBytes, limits::kArchiveTotalBytes,
                             UINT64_MAX, limits::kArchiveNameBytes};

bool is_executable(const ZipEntry& entry) {
  constexpr std::uint8_t kUnix = 3;
  constexpr std::uint8_t kMac = 19;
  constexpr std::uint32_t kOwnerExecutes = 0100;
  return (entry.host == kUnix || entry.host == kMac) && ((entry.attributes >> 16U) & kOwnerExecutes) != 0;
}

// One raw deflate stream (RFC 1951), used again for each entry.
class Inflater {
 public:
  Inflater() : buffer_(new char[kInflateBuffer]), ready_(::inflateInit2(&zlib_, -MAX_WBITS) == Z_OK) {}
  ~Inflater() {
    if (ready_) ::inflateEnd(&zlib_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<void> begin() {
    if (!ready_) return fail(Errc::unavailable, "there is not enough memory to unpack the archive");
    ::inflateReset(&zlib_);
    ended_ = false;
    return {};
  }

  // Hands what `packed` unpacks to over to `sink`, piece by piece.
  template <class Sink>
  Result<void> unpack(std::string_view packed, const ZipEntry& entry, Sink sink) {
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    zlib_.avail_in = static_cast<uInt>(packed.size());
    do {
      if (ended_) return refused_archive_entry(entry.name, "is damaged: its data ends before the next thing begins");
      zlib_.next_out = reinterpret_cast<Bytef*>(buffer_.get());
      zlib_.avail_out = kInflateBuffer;
      const int result = ::inflate(&zlib_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return refused_archive_entry(
            entry.name, std::string("is damaged: ") + (zlib_.msg != nullptr ? zlib_.msg : "no deflate stream"));
      }
      ended_ = result == Z_STREAM_END;
      TRY(sink(std::string_view(buffer_.get(), kInflateBuffer - zlib_.avail_out)));
    } while (zlib_.avail_in > 0 || zlib_.avail_out == 0);
    return {};
  }

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  z_stream zlib_{};
  std::unique_ptr<char[]> buffer_;
  bool ready_;
  bool ended_ = false;
};

// Where the data begins: behind the local header, which was compared with the directory.
Result<std::uint64_t> data_offset(ArchiveFile& file, const ZipEntry& entry) {
  const std::string_view header = TRY(file.read(entry.offset, kLocalHeaderSize));
  if (header.size() < kLocalHeaderSize) return refused_archive_entry(entry.name, "is cut short");
  const auto number = [&](std::size_t at) {
    return static_cast<std::uint64_t>(static_cast<std::uint8_t>(header[at])) |
           static_cast<std::uint64_t>(static_cast<std::uint8_t>(header[at + 1])) << 8U;
  };
  return entry.offset + kLocalHeaderSize + number(26) + number(28);
}

Result<void> read_file(ArchiveFile& file, const ZipEntry& entry, Inflater& inflater, ArchiveContent& content) {
  TRY(content.begin_file(entry.name, entry.size, is_executable(entry)));
  TRY(inflater.begin());
  std::uint64_t at = TRY(data_offset(file, entry));
  uLong crc = ::crc32(0, nullptr, 0);
  const auto take = [&](std::string_view piece) -> Result<void> {
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    return content.bytes(piece);
  };
  for (std::uint64_t left = entry.packed; left > 0;) {
    const std::string_view packed = TRY(file.read(at, left));
    if (packed.empty()) return refused_archive_entry(entry.name, "is cut short");
    if (entry.method == kDeflated) {
      TRY(inflater.unpack(packed, entry, take));
    } else {
      TRY(take(packed));
    }
    at += packed.size();
    left -= packed.size();
  }
  if (entry.method == kDeflated && !inflater.ended()) {
    return refused_archive_entry(entry.name, "is damaged: its data has no end");
  }
  if (crc != entry.crc) return refused_archive_entry(entry.name, "is damaged: its checksum is wrong");
  return content.end_file();
}

}  // namespace

Result<void> read_zip(ArchiveFile& file, ArchiveContent& content) {
  const ZipDirectory directory = TRY(read_zip_directory(file.fd(), file.path(), kMost));
  std::vector<std::uint32_t> order(directory.entries.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return directory.entries[a].offset < directory.entries[b].offset;
  });
  Inflater inflater;
  for (const std::uint32_t index : order) {
    const ZipEntry& entry = directory.entries[index];
    if (entry.folder()) {
      TRY(content.add_folder(entry.name));
    } else {
      TRY(read_file(file, entry, inflater, content));
    }
    file.count_entries(content.entries());
  }
  return {};
}

}  // namespace trainyard
