// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/zip_writer.hpp"

#include <fcntl.h>
#include <zip.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <optional>

#include "storage/packages/zip_archive.hpp"
#include "storage/packages/zip_names.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// What the files of one zip share. libzip reads one file after the other, when the zip is closed.
struct Packing {
  Path folder;
  UniqueFd fd;
  Sha256 hash;
  std::optional<Error> error;  // the first; libzip has no place for it
};

// One file on its way into the zip, hashed as it passes.
class FileSource {
 public:
  FileSource(Packing& packing, TreeEntry entry) : packing_(packing), entry_(std::move(entry)) {}

  static zip_int64_t answer(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<FileSource*>(self)->answer(data, size, command);
  }

 private:
  zip_int64_t answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_OPEN: return remember(open());
      case ZIP_SOURCE_READ: {
        const auto got = read(std::span(static_cast<std::byte*>(data), static_cast<std::size_t>(size)));
        return got.ok() ? static_cast<zip_int64_t>(*got) : remember(got.error());
      }
      case ZIP_SOURCE_STAT: {
        auto* const stat = static_cast<zip_stat_t*>(data);
        ::zip_stat_init(stat);
        stat->size = entry_.size;
        stat->valid = ZIP_STAT_SIZE;
        return sizeof(zip_stat_t);
      }
      case ZIP_SOURCE_CLOSE: file_.reset(); return 0;
      case ZIP_SOURCE_ERROR: {
        zip_error_t error;
        ::zip_error_init_with_code(&error, ZIP_ER_READ);
        const zip_int64_t written = ::zip_error_to_data(&error, data, size);
        ::zip_error_fini(&error);
        return written;
      }
      case ZIP_SOURCE_SUPPORTS: return ZIP_SOURCE_SUPPORTS_READABLE;
      case ZIP_SOURCE_FREE: return 0;
      default: return -1;
    }
  }

  zip_int64_t remember(const Result<void>& result) {
    if (result.ok()) return 0;
    if (!packing_.error) packing_.error = result.error();
    return -1;
  }

  [[nodiscard]] Path shown() const { return packing_.folder / entry_.path.bytes(); }
  [[nodiscard]] Error changed() const {
    return fail(Errc::invalid, "'" + shown().string() + "' was changed while the package was packed");
  }

  Result<void> open() {
    // Something other than a file, put there since the capture, must not block.
    file_ = TRY(open_at(packing_.fd.get(), entry_.path.bytes().c_str(), O_RDONLY | O_NONBLOCK, shown()));
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return system_error("read", shown(), errno);
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != entry_.size) return changed();
    static_cast<void>(packing_.hash.finish());
    read_ = 0;
    ended_ = false;
    return {};
  }

  Result<std::size_t> read(std::span<std::byte> bytes) {
    const std::size_t got = TRY(read_some(file_.get(), bytes, shown()));
    packing_.hash.update(bytes.first(got));
    read_ += got;
    if (read_ > entry_.size) return changed();
    if (got < bytes.size() && !ended_) {
      ended_ = true;
      if (read_ != entry_.size || packing_.hash.finish() != entry_.digest) return changed();
    }
    return got;
  }

  Packing& packing_;
  const TreeEntry entry_;
  UniqueFd file_;
  std::uint64_t read_ = 0;
  bool ended_ = false;
};

Error libzip_error(zip_error_t* error, const Path& zip) {
  if (::zip_error_code_zip(error) == ZIP_ER_EXISTS) return system_error("create", zip, EEXIST);
  if (::zip_error_system_type(error) == ZIP_ET_SYS && ::zip_error_code_system(error) != 0) {
    return system_error("write", zip, ::zip_error_code_system(error));
  }
  return fail(Errc::io, "cannot write '" + zip.string() + "': " + ::zip_error_strerror(error));
}

Result<ZipArchive> create_archive(const Path& zip) {
  int code = 0;
  ZipArchive archive(::zip_open(zip.c_str(), ZIP_CREATE | ZIP_EXCL, &code));
  if (archive) return archive;
  const int system = errno;
  zip_error_t error;
  ::zip_error_init_with_code(&error, code);
  error.sys_err = system;
  const Error translated = libzip_error(&error, zip);
  ::zip_error_fini(&error);
  return translated;
}

// The names of all entries, in order, "root/" first.
Result<std::deque<std::string>> entry_names(const std::string& root, const Tree& tree) {
  ZipNames rules;
  std::deque<std::string> names = {root + "/"};
  TRY(rules.add(names.back()));
  for (const TreeEntry& entry : tree.entries()) {
    names.push_back(root + "/" + entry.path.bytes() + (entry.kind == TreeEntry::Kind::file ? "" : "/"));
    TRY(rules.add(names.back()));
  }
  TRY(rules.root());
  return names;
}

bool add_entry(zip_t* archive, const std::string& name, const TreeEntry* entry, std::deque<FileSource>& sources,
               Packing& packing) {
  const bool is_file = entry != nullptr && entry->kind == TreeEntry::Kind::file;
  zip_int64_t index = -1;
  if (is_file) {
    zip_source_t* const source =
        ::zip_source_function(archive, &FileSource::answer, &sources.emplace_back(packing, *entry));
    if (source == nullptr) return false;
    index = ::zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) ::zip_source_free(source);
  } else {
    index = ::zip_dir_add(archive, name.c_str(), ZIP_FL_ENC_UTF_8);
  }
  if (index < 0) return false;
  constexpr zip_uint32_t kFolder = 0040755;
  constexpr zip_uint32_t kFile = 0100644;
  constexpr zip_uint32_t kExecutable = 0100755;
  constexpr zip_uint16_t kFirstDay = 0x21;  // 1980-01-01
  const zip_uint32_t mode = !is_file ? kFolder : entry->executable ? kExecutable : kFile;
  const auto place = static_cast<zip_uint64_t>(index);
  return ::zip_file_set_external_attributes(archive, place, 0, ZIP_OPSYS_UNIX, mode << 16U) == 0 &&
         ::zip_file_set_dostime(archive, place, 0, kFirstDay, 0) == 0 &&
         ::zip_set_file_compression(archive, place, ZIP_CM_STORE, 0) == 0;
}

Result<ZipSummary> summary_of(const Path& zip) {
  constexpr std::size_t kBufferSize = std::size_t{256} << 10U;
  const UniqueFd fd = TRY(open_file(zip, O_RDONLY));
  const std::unique_ptr<std::byte[]> memory(new std::byte[kBufferSize]);
  const std::span<std::byte> buffer(memory.get(), kBufferSize);
  Sha256 hash;
  for (std::uint64_t bytes = 0;;) {
    const std::size_t got = TRY(read_some(fd.get(), buffer, zip));
    hash.update(buffer.first(got));
    bytes += got;
    if (got < buffer.size()) return ZipSummary{hash.finish(), bytes};
  }
}

}  // namespace

Result<ZipSummary> pack_folder(const Path& folder, const std::string& root, const Tree& tree, const Path& zip) {
  const auto names = entry_names(root, tree);
  if (!names.ok()) return within("the package cannot be packed into a zip", names.error());
  if (root.find('/') != std::string::npos)
    return fail(Errc::invalid, "'" + root + "' is not the name of one root folder");

  Packing packing{folder, {}, {}, std::nullopt};
  packing.fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  std::deque<FileSource> sources;  // outlives the archive
  ZipArchive archive = TRY(create_archive(zip));
  bool added = add_entry(archive.get(), names->front(), nullptr, sources, packing);
  for (std::size_t i = 0; added && i < tree.size(); ++i) {
    const TreeEntry entry = tree.entry(i);
    added = add_entry(archive.get(), (*names)[i + 1], &entry, sources, packing);
  }
  if (!added || ::zip_close(archive.get()) != 0) {
    return packing.error ? *packing.error : libzip_error(::zip_get_error(archive.get()), zip);
  }
  static_cast<void>(archive.release());  // closing it has freed it

  auto summary = summary_of(zip);
  if (!summary.ok()) static_cast<void>(remove_file(zip));
  return summary;
}

}  // namespace trainyard
