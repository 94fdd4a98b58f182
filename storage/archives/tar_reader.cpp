// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <clocale>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace trainyard {

namespace {

constexpr std::uint64_t kTarBlock = 512;
constexpr std::uint64_t kEndOfTar = 2 * kTarBlock;
// libarchive holds an entry's headers in memory: names, pax records and the map of a sparse file.
constexpr std::uint64_t kMostHeaderBytes = std::uint64_t{8} << 20U;
constexpr std::uint64_t kHoleStep = std::uint64_t{64} << 20U;

Error refused_tar(std::string rule) { return fail(Errc::invalid, std::move(rule)); }

// The stream on its way into libarchive, and what libarchive does not tell about it.
class WatchedBytes {
 public:
  explicit WatchedBytes(ByteStream& stream) : stream_(stream) {}

  static la_ssize_t read(archive* /*reader*/, void* self, const void** buffer) {
    return static_cast<WatchedBytes*>(self)->read(buffer);
  }

  void begin_header() { header_left_ = kMostHeaderBytes; }
  void end_header() { header_left_ = UINT64_MAX; }

  // What went wrong below libarchive.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  // Reads what libarchive left. `end` is where the last entry ended.
  Result<void> check_end(std::uint64_t end) {
    end_header();
    for (;;) {
      const std::string_view piece = TRY(next());
      if (piece.empty()) break;
    }
    if (nonzero_end_ > end)
      return refused_tar("it has something after its end; one tar is read, and nothing behind it");
    if (total_ < end + kEndOfTar) {
      return refused_tar("it is cut short: the two blocks of zeros that end a tar are missing");
    }
    return {};
  }

 private:
  // No exception and no error but a number passes through libarchive.
  la_ssize_t read(const void** buffer) noexcept {
    try {
      const auto piece = next();
      if (piece.ok()) {
        *buffer = piece->data();
        return static_cast<la_ssize_t>(piece->size());
      }
      error_ = piece.error();
    } catch (const std::bad_alloc&) {
      error_ = fail(Errc::unavailable, "there is not enough memory to read the archive");
    }
    return ARCHIVE_FATAL;
  }

  Result<std::string_view> next() {
    if (header_left_ == 0) return refused_tar("it has headers of more than 8 MiB for one entry");
    const std::string_view piece = TRY(stream_.next());
    header_left_ -= std::min<std::uint64_t>(header_left_, piece.size());
    const std::size_t last = piece.find_last_not_of('\0');
    if (last != std::string_view::npos) nonzero_end_ = total_ + last + 1;
    total_ += piece.size();
    return piece;
  }

  ByteStream& stream_;
  std::optional<Error> error_;
  std::uint64_t total_ = 0;
  std::uint64_t nonzero_end_ = 0;  // one past the last byte that is no zero
  std::uint64_t header_left_ = UINT64_MAX;
};

// The C locale for the calling thread. libarchive turns the UTF-8 names of pax headers into the locale's characters,
// and composes them on the way; what has no place in the locale stays as it is, byte for byte.
class PlainLocale {
 public:
  PlainLocale() : plain_(::newlocale(LC_ALL_MASK, "C", nullptr)), before_(::uselocale(plain_)) {}
  ~PlainLocale() {
    ::uselocale(before_);
    if (plain_ != nullptr) ::freelocale(plain_);
  }
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;

 private:
  locale_t plain_;
  locale_t before_;
};

struct FreeArchive {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeArchive>;

std::string reason(archive* reader) {
  const char* const text = ::archive_error_string(reader);
  return text != nullptr ? text : "it ends too early";
}

// The warning that a name stayed as it is.
bool is_about_names(archive* reader) {
  return reason(reader).ends_with("can't be converted from UTF-8 to current locale.");
}

Result<void> read_data(archive* reader, std::string_view name, std::uint64_t size, const WatchedBytes& bytes,
                       ArchiveFile& file, ArchiveContent& content) {
  std::uint64_t at = 0;
  // A sparse file has zeros where the archive has nothing.
  const auto fill = [&](std::uint64_t to) -> Result<void> {
    for (; at < to; at += std::min(kHoleStep, to - at)) {
      TRY(file.go_on());
      TRY(content.hole(std::min(kHoleStep, to - at)));
    }
    return {};
  };
  for (;;) {
    const void* piece = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int result = ::archive_read_data_block(reader, &piece, &length, &offset);
    if (bytes.error()) return *bytes.error();
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK) return refused_archive_entry(name, "is damaged: " + reason(reader));
    const auto begin = static_cast<std::uint64_t>(offset);
    if (offset < 0 || begin < at) return refused_archive_entry(name, "is a sparse file whose pieces overlap");
    if (begin > size) return refused_archive_entry(name, "holds more bytes than it says");
    TRY(fill(begin));
    TRY(content.bytes(std::string_view(static_cast<const char*>(piece), length)));
    at += length;
  }
  return fill(size);
}

Result<void> read_entry(archive* reader, archive_entry* entry, const WatchedBytes& bytes, ArchiveFile& file,
                        ArchiveContent& content) {
  const char* const text = ::archive_entry_pathname(entry);
  const std::string name = text != nullptr ? text : "";
  const la_int64_t size = ::archive_entry_size(entry);
  if (size < 0) return refused_archive_entry(name, "has a size below zero");
  if (const char* const target = ::archive_entry_hardlink(entry)) {
    if (size > 0) return refused_archive_entry(name, "is a hard link, yet has content");
    return content.add_hard_link(name, target);
  }
  switch (::archive_entry_filetype(entry)) {
    case AE_IFDIR:
      if (size > 0) return refused_archive_entry(name, "is a folder, yet has content");
      return content.add_folder(name);
    case AE_IFREG: break;
    case AE_IFLNK: return refused_archive_entry(name, "is a symbolic link; only files and folders are read");
    case AE_IFCHR:
    case AE_IFBLK:
    case AE_IFIFO:
    case AE_IFSOCK: return refused_archive_entry(name, "is a device, pipe or socket; only files and folders are read");
    default: return refused_archive_entry(name, "is of an unknown kind; only files and folders are read");
  }
  constexpr unsigned kOwnerExecutes = 0100;
  const bool executable = (::archive_entry_mode(entry) & kOwnerExecutes) != 0;
  TRY(content.begin_file(name, static_cast<std::uint64_t>(size), executable));
  TRY(read_data(reader, name, static_cast<std::uint64_t>(size), bytes, file, content));
  return content.end_file();
}

}  // namespace

Result<void> read_tar(ByteStream& stream, ArchiveFile& file, ArchiveContent& content) {
  const PlainLocale locale;
  WatchedBytes bytes(stream);
  const Reader reader(::archive_read_new());
  if (!reader || ::archive_read_support_filter_none(reader.get()) != ARCHIVE_OK ||
      ::archive_read_support_format_tar(reader.get()) != ARCHIVE_OK) {
    return fail(Errc::unavailable, "there is not enough memory to read the archive");
  }
  if (::archive_read_open(reader.get(), &bytes, nullptr, &WatchedBytes::read, nullptr) != ARCHIVE_OK) {
    if (bytes.error()) return *bytes.error();
    return refused_tar("it is neither a tar (plain, or compressed by gzip or Zstandard) nor a zip");
  }
  for (;;) {
    const auto end = static_cast<std::uint64_t>(::archive_filter_bytes(reader.get(), 0));
    archive_entry* entry = nullptr;
    bytes.begin_header();
    const int result = ::archive_read_next_header(reader.get(), &entry);
    if (bytes.error()) return *bytes.error();
    if (result == ARCHIVE_EOF) return bytes.check_end(end);
    if (result != ARCHIVE_OK && !(result == ARCHIVE_WARN && is_about_names(reader.get()))) {
      return refused_tar("it is damaged at its entry " + std::to_string(content.entries() + 1) + ": " +
                         reason(reader.get()));
    }
    bytes.end_header();
    TRY(read_entry(reader.get(), entry, bytes, file, content));
    file.count_entries(content.entries());
  }
}

}  // namespace trainyard
