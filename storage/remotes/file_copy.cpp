// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/file_copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// So much goes between two calls of `moved`.
constexpr std::uint64_t kPart = std::uint64_t{4} << 20U;
constexpr std::size_t kCopyPiece = std::size_t{1} << 20U;

Error other_size(const Path& file, std::uint64_t bytes) {
  return fail(Errc::corrupt, "'" + file.string() + "' is not of " + std::to_string(bytes) +
                                 " bytes as it was; it was changed while it was copied, or before");
}

// What the file system copies itself; 0 where it does not.
std::uint64_t copied_by_system(int from, int to, std::uint64_t bytes) {
  const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr, bytes, 0);
  return copied > 0 ? static_cast<std::uint64_t>(copied) : 0;
}

}  // namespace

Result<void> copy_file(const Path& file, std::uint64_t bytes, const KeyFolder& to, FreshFile& fresh, RateLimit& limit,
                       const std::function<void(std::uint64_t bytes)>& moved) {
  const UniqueFd from = TRY(open_file(file, O_RDONLY));
  struct stat status {};
  if (::fstat(from.get(), &status) != 0) return system_error("look at", file, errno);
  if (static_cast<std::uint64_t>(status.st_size) != bytes) return other_size(file, bytes);
  std::vector<std::byte> buffer;
  bool by_system = true;
  const std::uint64_t most = std::min<std::uint64_t>(kPart, limit.piece());
  for (std::uint64_t done = 0; done < bytes;) {
    std::uint64_t part = by_system ? copied_by_system(from.get(), fresh.fd(), std::min(most, bytes - done)) : 0;
    // Whatever the reason was, reading and writing tells it better.
    if (part == 0) {
      by_system = false;
      buffer.resize(static_cast<std::size_t>(std::min({std::uint64_t{kCopyPiece}, most, bytes - done})));
      part = TRY(read_some(from.get(), buffer, file));
      if (part == 0) return other_size(file, bytes);
      const std::string_view piece(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(part));
      if (const auto written = write_all(fresh.fd(), piece, fresh.shown()); !written.ok()) {
        if (written.error().code == Errc::unavailable) return to.error("write", fresh.shown(), ENOSPC);
        return written.error();
      }
    }
    done += part;
    limit.wait(part);
    if (moved) moved(part);
  }
  if (::fsync(fresh.fd()) != 0) return to.error("sync", fresh.shown(), errno);
  return {};
}

Result<Digest> digest_of(int fd, const Path& shown) {
  static_cast<void>(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  if (::lseek(fd, 0, SEEK_SET) != 0) return system_error("read", shown, errno);
  Sha256 hash;
  std::vector<std::byte> buffer(kCopyPiece);
  for (;;) {
    const std::size_t got = TRY(read_some(fd, buffer, shown));
    hash.update(std::span(buffer).first(got));
    if (got < buffer.size()) return hash.finish();
  }
}

}  // namespace trainyard
