// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/zip_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <optional>

#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDirectorySignature = 0x02014b50;
constexpr std::uint32_t kDescriptorSignature = 0x08074b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kDirectoryEntrySize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocatorSize = 20;
constexpr std::uint64_t kMax16 = 0xFFFF;
constexpr std::uint64_t kMax32 = 0xFFFFFFFF;

constexpr std::uint16_t kFlagsOfEncryption = 0x2041;  // encrypted, strongly encrypted, masked header
constexpr std::uint16_t kFlagDescriptor = 0x0008;
constexpr std::uint16_t kFlagPatch = 0x0020;
constexpr std::uint16_t kFieldZip64 = 0x0001;
constexpr std::uint16_t kFieldUnicodePath = 0x7075;

Error refused_directory(std::string rule) { return fail(Errc::invalid, std::move(rule)); }

// REQUIRES: the bytes are there.
std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i) value = (value << 8U) | static_cast<std::uint8_t>(bytes[at + i - 1]);
  return value;
}
std::uint16_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2));
}
std::uint32_t number32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t size, const Path& zip) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", zip, errno);
    if (got == 0) return refused_directory("it became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

// The data of the first extra field with this identifier.
std::optional<std::string_view> extra_field(std::string_view extra, std::uint16_t wanted) {
  while (extra.size() >= 4) {
    const std::size_t size = number16(extra, 2);
    if (4 + size > extra.size()) break;  // padding, as some tools put there to align the data
    if (number16(extra, 0) == wanted) return extra.substr(4, size);
    extra.remove_prefix(4 + size);
  }
  return std::nullopt;
}

struct EndRecord {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_size = 0;
  std::uint64_t directory_end = 0;  // where the next thing begins
};

Error several_disks() { return refused_directory("it is one part of a zip that was split; join the parts first"); }
Error false_zip64() { return refused_directory("its 64-bit end record contradicts its end record"); }

// Replaces the numbers of `end` by those of the 64-bit end record that `locator` points to.
Result<EndRecord> read_end_record64(int fd, std::string_view locator, const EndRecord& end, const Path& zip) {
  const std::uint64_t locator_offset = end.offset - kLocatorSize;
  const std::uint64_t offset = number(locator, 8, 8);
  if (number32(locator, 4) != 0 || number32(locator, 16) > 1) return several_disks();
  if (locator_offset < kEnd64Size || offset > locator_offset - kEnd64Size) return false_zip64();
  const std::string record = TRY(read_at(fd, offset, kEnd64Size, zip));
  if (number32(record, 0) != kEnd64Signature || number(record, 4, 8) != locator_offset - offset - 12)
    return false_zip64();
  if (number32(record, 16) != 0 || number32(record, 20) != 0) return several_disks();
  EndRecord large = {end.offset, number(record, 32, 8), number(record, 48, 8), number(record, 40, 8), offset};
  if (number(record, 24, 8) != large.entries) return several_disks();
  const auto contradicts = [](std::uint64_t narrow, std::uint64_t wide, std::uint64_t most) {
    return narrow != most && narrow != wide;
  };
  if (contradicts(end.entries, large.entries, kMax16) ||
      contradicts(end.directory_size, large.directory_size, kMax32) ||
      contradicts(end.directory_offset, large.directory_offset, kMax32)) {
    return false_zip64();
  }
  return large;
}

Result<EndRecord> read_end_record(int fd, std::uint64_t file_size, const Path& zip, const ZipLimits& most) {
  const std::uint64_t tail_offset = file_size - std::min<std::uint64_t>(file_size, kEndSize + kMax16);
  const std::string tail = TRY(read_at(fd, tail_offset, file_size - tail_offset, zip));
  constexpr std::string_view kSignature = "PK\x05\x06";
  bool seen = false;
  std::optional<std::size_t> found;
  for (std::size_t at = tail.find(kSignature); at != std::string::npos; at = tail.find(kSignature, at + 1)) {
    seen = true;
    if (at + kEndSize > tail.size() || at + kEndSize + number16(tail, at + 20) != tail.size()) continue;
    if (found)
      return refused_directory("it has more than one end record, so programs would disagree about what is in it");
    found = at;
  }
  if (!seen) return refused_directory("it is not a zip file, or its end is missing");
  if (!found) return refused_directory("it does not end where its end record says; bytes are missing or were added");

  const std::string_view record = std::string_view(tail).substr(*found);
  EndRecord end = {tail_offset + *found, number16(record, 10), number32(record, 16), number32(record, 12), 0};
  end.directory_end = end.offset;
  const std::uint64_t disk = number16(record, 4);
  const std::uint64_t directory_disk = number16(record, 6);
  bool wide = false;
  if (end.offset >= kLocatorSize) {
    const std::string locator = TRY(read_at(fd, end.offset - kLocatorSize, kLocatorSize, zip));
    wide = number32(locator, 0) == kLocatorSignature;
    if (wide) end = TRY(read_end_record64(fd, locator, end, zip));
  }
  const auto elsewhere = [&](std::uint64_t number) { return number != 0 && !(wide && number == kMax16); };
  if (elsewhere(disk) || elsewhere(directory_disk)) return several_disks();
  if (number16(record, 8) != number16(record, 10)) return several_disks();

  if (end.entries == 0) return refused_directory("it has no entries");
  if (end.entries > most.entries) {
    return refused_directory("it has more than " + std::to_string(most.entries) + " entries");
  }
  if (end.directory_size > most.directory_bytes) {
    return refused_directory("its directory is larger than " + std::to_string(most.directory_bytes >> 20U) + " MiB");
  }
  if (end.directory_offset > end.directory_end || end.directory_end - end.directory_offset != end.directory_size) {
    return refused_directory("its directory does not lie where its end record says; bytes are missing or were added");
  }
  if (end.directory_size / kDirectoryEntrySize < end.entries)
    return refused_directory("it has fewer entries than its end record says");
  return end;
}

// The sizes and the place that do not fit into 32 bits stand in an extra field, in this order.
Result<void> widen(ZipEntry& entry, std::string_view extra, std::uint64_t disk) {
  const std::string_view wide = extra_field(extra, kFieldZip64).value_or(std::string_view());
  std::size_t at = 0;
  for (std::uint64_t* const value : {&entry.size, &entry.packed, &entry.offset}) {
    if (*value != kMax32) continue;
    if (at + 8 > wide.size()) return refused_entry(entry.name, "promises 64-bit numbers in the directory and has none");
    *value = number(wide, at, 8);
    at += 8;
  }
  if (disk == kMax16 && at + 4 <= wide.size()) disk = number32(wide, at);
  if (disk != 0) return several_disks();
  return {};
}

Result<void> check_unicode_path(const ZipEntry& entry, std::string_view extra) {
  const auto field = extra_field(extra, kFieldUnicodePath);
  if (field && field->size() >= 5 && field->substr(5) != entry.name) {
    return refused_entry(entry.name, "has another name in its Unicode field, so programs would disagree about it");
  }
  return {};
}

Result<void> check_kind(const ZipEntry& entry) {
  constexpr std::uint32_t kKind = 0170000;
  constexpr std::uint32_t kFile = 0100000;
  constexpr std::uint32_t kFolder = 0040000;
  constexpr std::uint32_t kLink = 0120000;
  const std::uint32_t kind = (entry.attributes >> 16U) & kKind;
  if (kind == kLink) return refused_entry(entry.name, "is a symbolic link; only files and folders are read");
  if (kind != 0 && kind != kFile && kind != kFolder) {
    return refused_entry(entry.name, "is a device, pipe or socket; only files and folders are read");
  }
  if (kind != 0 && (kind == kFolder) != entry.folder()) {
    return refused_entry(entry.name, "is a folder by its name or by its mode, but not by both");
  }
  if (entry.folder() && entry.size != 0) return refused_entry(entry.name, "is a folder, yet has content");
  return {};
}

Result<void> check_entry(const ZipEntry& entry, const ZipLimits& most) {
  if ((entry.flags & kFlagsOfEncryption) != 0) return refused_entry(entry.name, "is encrypted");
  if (entry.method != 0 && entry.method != 8) {
    return refused_entry(entry.name, "is compressed by method " + std::to_string(entry.method) +
                                         "; only stored and deflated entries are read");
  }
  if ((entry.flags & kFlagPatch) != 0)
    return refused_entry(entry.name, "is a patch to another file; only whole files are read");
  TRY(check_kind(entry));
  if (entry.size > most.entry_bytes) {
    return refused_entry(entry.name, "is larger than " + std::to_string(most.entry_bytes >> 30U) + " GiB");
  }
  if (entry.method == 0 && entry.size != entry.packed) {
    return refused_entry(entry.name, "is stored without compression, yet its two sizes differ");
  }
  if (entry.size == 0 && entry.crc != 0)
    return refused_entry(entry.name, "is empty, yet has the checksum of something");
  if (entry.size > limits::kZipRatioFloor && entry.size / most.entry_ratio > entry.packed) {
    return refused_entry(entry.name,
                         "would unpack to more than " + std::to_string(most.entry_ratio) + " times its size");
  }
  return {};
}

Result<std::vector<ZipEntry>> read_entries(std::string_view directory, std::uint64_t count, const ZipLimits& most) {
  std::vector<ZipEntry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (directory.size() < kDirectoryEntrySize || number32(directory, 0) != kDirectorySignature) {
      return refused_directory("its directory is damaged at entry " + std::to_string(i + 1));
    }
    const std::size_t name_size = number16(directory, 28);
    const std::size_t extra_size = number16(directory, 30);
    const std::size_t whole = kDirectoryEntrySize + name_size + extra_size + number16(directory, 32);
    if (whole > directory.size())
      return refused_directory("its directory is damaged at entry " + std::to_string(i + 1));
    const std::string_view extra = directory.substr(kDirectoryEntrySize + name_size, extra_size);
    ZipEntry entry;
    entry.name = directory.substr(kDirectoryEntrySize, name_size);
    entry.host = static_cast<std::uint8_t>(number(directory, 5, 1));
    entry.flags = number16(directory, 8);
    entry.method = number16(directory, 10);
    entry.crc = number32(directory, 16);
    entry.packed = number32(directory, 20);
    entry.size = number32(directory, 24);
    entry.attributes = number32(directory, 38);
    entry.offset = number32(directory, 42);
    TRY(widen(entry, extra, number16(directory, 34)));
    TRY(check_unicode_path(entry, extra));
    TRY(check_entry(entry, most));
    total += entry.size;
    if (total > most.total_bytes) {
      return refused_directory("it would unpack to more than " + std::to_string(most.total_bytes >> 30U) + " GiB");
    }
    entries.push_back(std::move(entry));
    directory.remove_prefix(whole);
  }
  if (!directory.empty()) return refused_directory("it has more entries than its end record says");
  return entries;
}

struct LocalHeader {
  std::uint64_t data_end = 0;
  bool descriptor = false;  // checksum and sizes may follow the data
};

// Reads the header before the entry's data and compares it with what the directory says. Both end at `limit` or before.
// REQUIRES: entry.offset <= limit
Result<LocalHeader> check_local_header(int fd, const ZipEntry& entry, std::uint64_t limit, const Path& zip) {
  constexpr std::uint64_t kLikelyExtraSize = 64;
  const std::uint64_t least = kLocalSize + entry.name.size();
  const std::uint64_t room = limit - entry.offset;
  if (room < least) return refused_entry(entry.name, "overlaps what follows it");
  std::string bytes = TRY(read_at(fd, entry.offset, std::min(room, least + kLikelyExtraSize), zip));
  if (number32(bytes, 0) != kLocalSignature)
    return refused_entry(entry.name, "has no local header where the directory says");
  const std::size_t name_size = number16(bytes, 26);
  if (name_size != entry.name.size() || bytes.compare(kLocalSize, name_size, entry.name) != 0) {
    return refused_entry(entry.name, "has another name in its local header");
  }
  const std::uint64_t whole = least + number16(bytes, 28);
  if (whole > room || entry.packed > room - whole) return refused_entry(entry.name, "overlaps what follows it");
  if (whole > bytes.size()) bytes = TRY(read_at(fd, entry.offset, whole, zip));
  const std::string_view extra = std::string_view(bytes).substr(static_cast<std::size_t>(least), number16(bytes, 28));

  const std::uint16_t flags = number16(bytes, 6);
  std::uint64_t packed = number32(bytes, 18);
  std::uint64_t size = number32(bytes, 22);
  if (packed == kMax32 || size == kMax32) {
    const auto wide = extra_field(extra, kFieldZip64);
    if (!wide || wide->size() < 16)
      return refused_entry(entry.name, "promises 64-bit sizes in its local header and has none");
    if (size == kMax32) size = number(*wide, 0, 8);
    if (packed == kMax32) packed = number(*wide, 8, 8);
  }
  const bool deferred = (flags & kFlagDescriptor) != 0;
  const auto differs = [&](std::uint64_t local, std::uint64_t central) {
    return local != central && !(deferred && local == 0);
  };
  if ((flags & kFlagsOfEncryption) != 0) return refused_entry(entry.name, "is encrypted by its local header");
  if (number16(bytes, 8) != entry.method)
    return refused_entry(entry.name, "has another compression method in its local header");
  if (differs(packed, entry.packed) || differs(size, entry.size)) {
    return refused_entry(entry.name, "has other sizes in its local header");
  }
  if (differs(number32(bytes, 14), entry.crc))
    return refused_entry(entry.name, "has another checksum in its local header");
  TRY(check_unicode_path(entry, extra));
  return LocalHeader{entry.offset + whole + entry.packed, deferred};
}

// A writer that did not know the sizes in advance puts them behind the data: with or without a signature, in 32 or 64
// bits.
bool is_descriptor(std::string_view bytes, const ZipEntry& entry) {
  if ((bytes.size() == 16 || bytes.size() == 24) && number32(bytes, 0) == kDescriptorSignature) bytes.remove_prefix(4);
  if (bytes.size() != 12 && bytes.size() != 20) return false;
  const std::size_t width = bytes.size() == 12 ? 4 : 8;
  return number32(bytes, 0) == entry.crc && number(bytes, 4, width) == entry.packed &&
         number(bytes, 4 + width, width) == entry.size;
}

// Walks the data from the first byte to the directory.
Result<void> check_layout(int fd, const std::vector<ZipEntry>& entries, std::uint64_t directory_offset,
                          const Path& zip) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return entries[a].offset < entries[b].offset; });
  const ZipEntry& last = entries[order.back()];
  if (last.offset > directory_offset) return refused_entry(last.name, "lies outside the zip's data");
  if (entries[order.front()].offset != 0)
    return refused_directory("bytes that belong to no entry lie before its first entry");
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ZipEntry& entry = entries[order[i]];
    const std::uint64_t next = i + 1 < order.size() ? entries[order[i + 1]].offset : directory_offset;
    const LocalHeader header = TRY(check_local_header(fd, entry, next, zip));
    const std::uint64_t gap = next - header.data_end;
    if (gap == 0) continue;
    constexpr std::uint64_t kMaxDescriptorSize = 24;
    bool known = header.descriptor && gap <= kMaxDescriptorSize;
    if (known) {
      const std::string bytes = TRY(read_at(fd, header.data_end, gap, zip));
      known = is_descriptor(bytes, entry);
    }
    if (!known) return refused_entry(entry.name, "is followed by bytes that belong to no entry");
  }
  return {};
}

}  // namespace

Error refused_entry(std::string_view name, std::string_view rule) {
  constexpr std::size_t kShownCharacters = 200;
  const std::string shown = printable(utf8_prefix(name, kShownCharacters));
  return fail(Errc::invalid, "the entry '" + shown + "' " + std::string(rule));
}

Result<ZipDirectory> read_zip_directory(int fd, const Path& zip, const ZipLimits& most) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("read", zip, errno);
  const EndRecord end = TRY(read_end_record(fd, static_cast<std::uint64_t>(status.st_size), zip, most));
  const std::string directory = TRY(read_at(fd, end.directory_offset, end.directory_size, zip));
  auto entries = TRY(read_entries(directory, end.entries, most));
  TRY(check_layout(fd, entries, end.directory_offset, zip));
  return ZipDirectory{std::move(entries), end.offset};
}

}  // namespace trainyard
