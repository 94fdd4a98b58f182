// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/archive_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kBlockSize = std::size_t{1} << 20U;

bool same_time(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

}  // namespace

ArchiveFile::ArchiveFile(UniqueFd fd, const Path& path, const struct stat& before, const ArchiveOptions& options)
    : fd_(std::move(fd)), path_(path), before_(before), options_(&options), block_(new char[kBlockSize]) {}

Result<ArchiveFile> ArchiveFile::open(const Path& path, const ArchiveOptions& options) {
  // A pipe would block here and is refused below.
  UniqueFd fd = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("read", path, errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::invalid, "it is not a file");
  static_cast<void>(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
  return ArchiveFile(std::move(fd), path, status, options);
}

Result<std::string_view> ArchiveFile::read(std::uint64_t offset, std::uint64_t most) {
  TRY(go_on());
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, kBlockSize));
  std::size_t done = 0;
  while (done < wanted) {
    const ssize_t got = ::pread(fd_.get(), block_.get() + done, wanted - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes_done_ = std::min(bytes_done_ + done, size());
  if (options_->progress) options_->progress(ArchiveProgress{bytes_done_, size(), entries_});
  return std::string_view(block_.get(), done);
}

Result<void> ArchiveFile::go_on() const {
  if (options_->cancelled && options_->cancelled()) return fail(Errc::cancelled, "stopped by a user");
  return {};
}

Result<void> ArchiveFile::check_unchanged() const {
  struct stat after {};
  if (::fstat(fd_.get(), &after) != 0) return system_error("read", path_, errno);
  if (before_.st_size != after.st_size || !same_time(before_.st_mtim, after.st_mtim)) {
    return fail(Errc::invalid, "it was changed while it was read");
  }
  return {};
}

std::uint64_t most_unpacked(std::uint64_t archive_bytes) {
  const std::uint64_t fair = archive_bytes > limits::kArchiveTotalBytes / limits::kArchiveRatio
                                 ? limits::kArchiveTotalBytes
                                 : archive_bytes * limits::kArchiveRatio;
  return std::max(fair, limits::kArchiveRatioFloor);
}

Result<void> check_unpacked(std::uint64_t bytes, std::uint64_t archive_bytes) {
  if (bytes <= most_unpacked(archive_bytes)) return {};
  return fail(Errc::invalid,
              bytes > limits::kArchiveTotalBytes
                  ? "it would unpack to more than " + std::to_string(limits::kArchiveTotalBytes >> 40U) + " TiB"
                  : "it would unpack to more than " + std::to_string(limits::kArchiveRatio) + " times its size");
}

}  // namespace trainyard
