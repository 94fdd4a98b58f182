// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/zip_reader.hpp"

#include <fcntl.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "storage/packages/zip_archive.hpp"
#include "storage/packages/zip_directory.hpp"
#include "storage/packages/zip_names.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kUnpackBuffer = std::size_t{256} << 10U;

Error refused(std::string rule) { return fail(Errc::invalid, std::move(rule)); }

// The zip as libzip sees it: the file up to its end record, which is followed by the longest comment there can be.
// libzip looks for end records in the last 64 KiB and tries each that it finds, in data and comments as well; here it
// finds the one that was checked.
class CheckedView {
 public:
  CheckedView(int fd, const ZipDirectory& directory) : fd_(fd), end_(directory.end_record) {
    ::zip_error_init(&error_);
  }
  ~CheckedView() { ::zip_error_fini(&error_); }
  CheckedView(const CheckedView&) = delete;
  CheckedView& operator=(const CheckedView&) = delete;

  static zip_int64_t answer(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<CheckedView*>(self)->answer(data, size, command);
  }

 private:
  static constexpr std::uint64_t kEndSize = 22;
  static constexpr std::uint64_t kCommentSize = 0xFFFF;

  zip_int64_t answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_OPEN: at_ = 0; return 0;
      case ZIP_SOURCE_READ: return read(static_cast<char*>(data), size);
      case ZIP_SOURCE_SEEK: {
        const zip_int64_t to = ::zip_source_seek_compute_offset(at_, total(), data, size, &error_);
        if (to < 0) return -1;
        at_ = static_cast<std::uint64_t>(to);
        return 0;
      }
      case ZIP_SOURCE_TELL: return static_cast<zip_int64_t>(at_);
      case ZIP_SOURCE_STAT: {
        auto* const stat = static_cast<zip_stat_t*>(data);
        ::zip_stat_init(stat);
        stat->size = total();
        stat->valid = ZIP_STAT_SIZE;
        return sizeof(zip_stat_t);
      }
      case ZIP_SOURCE_ERROR: return ::zip_error_to_data(&error_, data, size);
      case ZIP_SOURCE_SUPPORTS: return ZIP_SOURCE_SUPPORTS_SEEKABLE;
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE: return 0;
      default: ::zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0); return -1;
    }
  }

  [[nodiscard]] std::uint64_t total() const { return end_ + kEndSize + kCommentSize; }

  // Up to `size` bytes of one of the three parts; libzip asks again.
  zip_int64_t read(char* to, std::uint64_t size) {
    const std::uint64_t comment_length_at = end_ + kEndSize - 2;
    std::uint64_t part = 0;
    if (at_ < comment_length_at) {
      part = std::min(size, comment_length_at - at_);
      const ssize_t got = ::pread(fd_, to, static_cast<std::size_t>(part), static_cast<off_t>(at_));
      if (got <= 0) {
        ::zip_error_set(&error_, got == 0 ? ZIP_ER_EOF : ZIP_ER_READ, got == 0 ? 0 : errno);
        return -1;
      }
      part = static_cast<std::uint64_t>(got);
    } else {
      const bool in_comment = at_ >= end_ + kEndSize;
      part = std::min(size, (in_comment ? total() : end_ + kEndSize) - at_);
      std::memset(to, in_comment ? 0 : 0xFF, static_cast<std::size_t>(part));
    }
    at_ += part;
    return static_cast<zip_int64_t>(part);
  }

  int fd_;
  std::uint64_t end_;
  std::uint64_t at_ = 0;
  zip_error_t error_{};
};

struct CloseEntry {
  void operator()(zip_file_t* file) const { static_cast<void>(::zip_fclose(file)); }
};
using OpenEntry = std::unique_ptr<zip_file_t, CloseEntry>;

Error libzip_error(const ZipEntry& entry, zip_error_t* error) {
  switch (::zip_error_code_zip(error)) {
    case ZIP_ER_CRC: return refused_entry(entry.name, "is damaged: its checksum is wrong");
    case ZIP_ER_INCONS:
    case ZIP_ER_EOF: return refused_entry(entry.name, "unpacks to fewer bytes than the directory says");
    case ZIP_ER_MEMORY:
      return fail(Errc::unavailable,
                  "there is not enough memory to unpack the entry '" + utf8_cleaned(entry.name) + "'");
    case ZIP_ER_READ:
    case ZIP_ER_SEEK:
      return fail(Errc::io, "cannot read the entry '" + utf8_cleaned(entry.name) + "': " + ::zip_error_strerror(error));
    default: return refused_entry(entry.name, std::string("is damaged: ") + ::zip_error_strerror(error));
  }
}

// Opens the zip in libzip and makes sure that it sees what was checked.
Result<ZipArchive> open_archive(CheckedView& view, const std::vector<ZipEntry>& entries) {
  zip_error_t error;
  ::zip_error_init(&error);
  zip_source_t* const source = ::zip_source_function_create(&CheckedView::answer, &view, &error);
  ZipArchive archive(source == nullptr ? nullptr : ::zip_open_from_source(source, ZIP_RDONLY, &error));
  const std::string reason = archive ? "" : ::zip_error_strerror(&error);
  ::zip_error_fini(&error);
  if (!archive) {
    if (source != nullptr) ::zip_source_free(source);
    return refused("its directory is damaged: " + reason);
  }
  if (static_cast<std::uint64_t>(::zip_get_num_entries(archive.get(), 0)) != entries.size()) {
    return refused("programs disagree about how many entries it has");
  }
  constexpr zip_uint64_t kCompared = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ZipEntry& entry = entries[i];
    zip_stat_t stat;
    if (::zip_stat_index(archive.get(), i, 0, &stat) != 0 || (stat.valid & kCompared) != kCompared ||
        stat.size != entry.size || stat.comp_size != entry.packed || stat.crc != entry.crc ||
        stat.comp_method != entry.method) {
      return refused_entry(entry.name, "is understood differently by different programs");
    }
  }
  return archive;
}

bool is_executable(const ZipEntry& entry) {
  constexpr std::uint8_t kUnix = 3;
  constexpr std::uint8_t kMac = 19;
  constexpr std::uint32_t kOwnerExecutes = 0100;
  return (entry.host == kUnix || entry.host == kMac) && ((entry.attributes >> 16U) & kOwnerExecutes) != 0;
}

Result<void> unpack_file(zip_t* archive, std::size_t index, const ZipEntry& entry, const RelPath& path,
                         FolderWriter& into, std::span<char> buffer) {
  const OpenEntry data(::zip_fopen_index(archive, index, 0));
  if (!data) return libzip_error(entry, ::zip_get_error(archive));
  const UniqueFd file = TRY(into.create_file(path, is_executable(entry)));
  const Path shown = into.root() / path.bytes();
  // To the end and one read beyond: there libzip compares the checksum.
  for (std::uint64_t left = entry.size;;) {
    const zip_int64_t got = ::zip_fread(data.get(), buffer.data(), buffer.size());
    if (got < 0) return libzip_error(entry, ::zip_file_get_error(data.get()));
    const auto size = static_cast<std::uint64_t>(got);
    if (size > left) return refused_entry(entry.name, "unpacks to more bytes than the directory says");
    if (size == 0 && left > 0) return refused_entry(entry.name, "unpacks to fewer bytes than the directory says");
    if (size == 0) return {};
    TRY(write_all(file.get(), std::string_view(buffer.data(), static_cast<std::size_t>(size)), shown));
    left -= size;
  }
}

// REQUIRES: the position of `fd` is the beginning.
Result<ZipSummary> summary_of(int fd, const Path& zip, std::span<char> buffer) {
  Sha256 hash;
  for (std::uint64_t bytes = 0;;) {
    const std::size_t got = TRY(read_some(fd, std::as_writable_bytes(buffer), zip));
    hash.update(std::as_bytes(buffer.first(got)));
    bytes += got;
    if (got < buffer.size()) return ZipSummary{hash.finish(), bytes};
  }
}

Result<UnpackedZip> unpack(const Path& zip, FolderWriter& into) {
  // A pipe would block here and is refused below.
  const UniqueFd fd = TRY(open_file(zip, O_RDONLY | O_NONBLOCK));
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) return system_error("read", zip, errno);
  if (!S_ISREG(before.st_mode)) return refused("it is not a file");

  const ZipDirectory directory = TRY(read_zip_directory(fd.get(), zip));
  const std::vector<ZipEntry>& entries = directory.entries;
  ZipNames names;
  std::vector<std::optional<RelPath>> paths;
  paths.reserve(entries.size());
  for (const ZipEntry& entry : entries) paths.push_back(TRY(names.add(entry.name)));
  std::string root = TRY(names.root());

  CheckedView view(fd.get(), directory);
  const ZipArchive archive = TRY(open_archive(view, entries));
  const std::unique_ptr<char[]> memory(new char[kUnpackBuffer]);
  const std::span<char> buffer(memory.get(), kUnpackBuffer);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!paths[i]) continue;
    if (entries[i].folder()) {
      TRY(into.create_folder(*paths[i]));
    } else {
      TRY(unpack_file(archive.get(), i, entries[i], *paths[i], into, buffer));
    }
  }

  const ZipSummary summary = TRY(summary_of(fd.get(), zip, buffer));
  struct stat after {};
  if (::fstat(fd.get(), &after) != 0) return system_error("read", zip, errno);
  if (before.st_size != after.st_size || static_cast<std::uint64_t>(after.st_size) != summary.bytes ||
      before.st_mtim.tv_sec != after.st_mtim.tv_sec || before.st_mtim.tv_nsec != after.st_mtim.tv_nsec) {
    return refused("it was changed while it was read");
  }
  return UnpackedZip{std::move(root), summary};
}

}  // namespace

Result<UnpackedZip> unpack_zip(const Path& zip, FolderWriter& into) {
  auto unpacked = unpack(zip, into);
  if (unpacked.ok() || unpacked.error().code != Errc::invalid) return unpacked;
  return within("the zip '" + utf8_cleaned(zip.string()) + "' is refused", unpacked.error());
}

}  // namespace trainyard
