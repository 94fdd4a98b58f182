// SPDX-License-Identifier: Apache-2.0
#include "storage/files/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

namespace trainyard {

namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

bool is_dot(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

Result<void> empty_folder(int fd, const Path& shown) {
  Folder folder(::fdopendir(fd));
  if (!folder) {
    const int error = errno;
    ::close(fd);
    return system_error("read the folder", shown, error);
  }
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    if (is_dot(entry->d_name)) continue;
    const Path inner = shown / entry->d_name;
    if (::unlinkat(fd, entry->d_name, 0) == 0) continue;
    if (errno != EISDIR && errno != EPERM) return system_error("remove", inner, errno);
    UniqueFd child(::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child && errno == EACCES && ::fchmodat(fd, entry->d_name, 0700, 0) == 0) {
      child = UniqueFd(::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!child) return system_error("remove", inner, errno);
    // An owner's own folder without write permission would keep what is in it.
    static_cast<void>(::fchmod(child.get(), 0700));
    TRY(empty_folder(child.release(), inner));
    if (::unlinkat(fd, entry->d_name, AT_REMOVEDIR) != 0) return system_error("remove", inner, errno);
  }
  return {};
}

Result<Path> write_scratch(const Path& scratch, std::string_view bytes, unsigned mode, Durable durable) {
  const Path temporary = scratch_name(scratch, "file");
  const UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode | 0200U));
  auto written = write_all(fd.get(), bytes, temporary);
  if (written.ok() && durable == Durable::yes) written = sync_file(fd.get(), temporary);
  if (written.ok() && ::fchmod(fd.get(), mode) != 0) written = system_error("set the mode of", temporary, errno);
  if (!written.ok()) {
    static_cast<void>(::unlink(temporary.c_str()));
    return written.error();
  }
  return temporary;
}

// Shortens the file to its last newline.
Result<void> cut_torn_line(int fd, const Path& shown) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("look at", shown, errno);
  off_t end = status.st_size;
  for (char last = 0; end > 0; --end) {
    if (::pread(fd, &last, 1, end - 1) != 1) return system_error("read", shown, errno);
    if (last == '\n') break;
  }
  if (end != status.st_size && ::ftruncate(fd, end) != 0) return system_error("shorten", shown, errno);
  return {};
}

}  // namespace

Error system_error(std::string_view action, const Path& path, int error_number) {
  Errc code = Errc::io;
  if (error_number == ENOENT) code = Errc::not_found;
  if (error_number == EEXIST) code = Errc::exists;
  if (error_number == ENOSPC || error_number == EDQUOT) code = Errc::unavailable;
  return fail(code, "cannot " + std::string(action) + " '" + path.string() + "': " + std::strerror(error_number));
}

Result<UniqueFd> open_file(const Path& path, int flags, unsigned mode) {
  return open_at(AT_FDCWD, path.c_str(), flags, path, mode);
}

Result<UniqueFd> open_at(int folder, const char* name, int flags, const Path& shown, unsigned mode) {
  for (;;) {
    UniqueFd fd(::openat(folder, name, flags | O_CLOEXEC | (folder == AT_FDCWD ? 0 : O_NOFOLLOW), mode));
    if (fd) return fd;
    if (errno != EINTR) return system_error((flags & O_CREAT) != 0 ? "create" : "open", shown, errno);
  }
}

Result<std::string> read_file(const Path& path, std::size_t most) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("read", path, errno);
  if (S_ISDIR(status.st_mode)) return fail(Errc::invalid, "'" + path.string() + "' is a folder, not a file");
  std::string bytes;
  // One byte more than it says, to meet its end; the files of /proc say nothing.
  const std::size_t expected = std::max<std::size_t>(4095, static_cast<std::size_t>(status.st_size));
  bytes.resize(std::min(most, expected) + 1);
  std::size_t size = 0;
  for (;;) {
    const std::size_t got = TRY(read_some(fd.get(), std::as_writable_bytes(std::span(bytes).subspan(size)), path));
    size += got;
    if (size < bytes.size()) break;
    if (size > most)
      return fail(Errc::invalid, "'" + path.string() + "' is larger than " + std::to_string(most) + " bytes");
    bytes.resize(std::min(most + 1, bytes.size() * 2));
  }
  bytes.resize(size);
  return bytes;
}

Result<void> write_all(int fd, std::string_view bytes, const Path& shown) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error("write", shown, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::size_t> read_once(int fd, std::span<std::byte> bytes, const Path& shown) {
  for (;;) {
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_error("read", shown, errno);
  }
}

Result<std::size_t> read_some(int fd, std::span<std::byte> bytes, const Path& shown) {
  std::size_t size = 0;
  while (size < bytes.size()) {
    const std::size_t got = TRY(read_once(fd, bytes.subspan(size), shown));
    if (got == 0) break;
    size += got;
  }
  return size;
}

Result<void> make_folders(const Path& path) {
  boost::system::error_code error;
  boost::filesystem::create_directories(path, error);
  if (error) return system_error("create the folder", path, error.value());
  return {};
}

Result<void> make_folder(const Path& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0) return system_error("create the folder", path, errno);
  return {};
}

Result<void> remove_tree(const Path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
  if (errno != EISDIR && errno != EPERM) return system_error("remove", path, errno);
  static_cast<void>(::chmod(path.c_str(), 0700));
  UniqueFd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(empty_folder(fd.release(), path));
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return system_error("remove", path, errno);
  return {};
}

Result<void> remove_file(const Path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("remove", path, errno);
  return {};
}

Result<std::vector<std::string>> list_folder(const Path& path) {
  const Folder folder(::opendir(path.c_str()));
  if (!folder) return system_error("read the folder", path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  }
  if (errno != 0) return system_error("read the folder", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<struct stat>> status_of(const Path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return std::optional(status);
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<struct stat>();
  return system_error("look at", path, errno);
}

bool is_there(const Path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_folder(const Path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<Path> real_path(const Path& path) {
  boost::system::error_code error;
  Path real = boost::filesystem::canonical(path, error);
  if (error) return system_error("find", path, error.value());
  return real;
}

Result<Path> absolute_path(const Path& path) {
  boost::system::error_code error;
  const Path here = boost::filesystem::current_path(error);
  if (error) return system_error("find the working directory for", path, error.value());
  return boost::filesystem::absolute(path, here).lexically_normal();
}

Result<void> sync_file(int fd, const Path& shown) {
  if (::fsync(fd) != 0) return system_error("sync", shown, errno);
  return {};
}

Result<void> sync_folder(const Path& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  return sync_file(fd.get(), path);
}

Result<void> publish_file(const Path& scratch, const Path& path, std::string_view bytes, unsigned mode,
                          Durable durable) {
  const Path temporary = TRY(write_scratch(scratch, bytes, mode, durable));
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int error = errno;
  static_cast<void>(::unlink(temporary.c_str()));
  if (linked != 0) return system_error("create", path, error);
  if (durable == Durable::yes) TRY(sync_folder(path.parent_path()));
  return {};
}

Result<void> replace_file(const Path& scratch, const Path& path, std::string_view bytes, unsigned mode,
                          Durable durable) {
  const Path temporary = TRY(write_scratch(scratch, bytes, mode, durable));
  if (const auto renamed = rename_path(temporary, path); !renamed.ok()) {
    static_cast<void>(::unlink(temporary.c_str()));
    return renamed.error();
  }
  if (durable == Durable::yes) TRY(sync_folder(path.parent_path()));
  return {};
}

Result<void> append_line(const Path& path, std::string_view line, Durable durable) {
  const UniqueFd fd = TRY(open_file(path, O_RDWR | O_CREAT | O_APPEND, 0644));
  TRY(cut_torn_line(fd.get(), path));
  // One write, so that a reader or a crash sees the line whole or not at all.
  TRY(write_all(fd.get(), std::string(line) + "\n", path));
  if (durable == Durable::no) return {};
  TRY(sync_file(fd.get(), path));
  return sync_folder(path.parent_path());
}

Result<void> rename_path(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename to", to, errno);
  return {};
}

Path scratch_name(const Path& folder, std::string_view prefix) {
  static std::atomic<unsigned> counter{0};
  std::uint8_t random[8];
  fill_random(random);
  std::string name = std::string(prefix) + "-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-";
  for (const std::uint8_t byte : random) {
    name += static_cast<char>('a' + (byte >> 4U));
    name += static_cast<char>('a' + (byte & 15U));
  }
  return folder / name;
}

void fill_random(std::span<std::uint8_t> bytes) {
  // Requests of up to 256 bytes are neither cut short nor interrupted (getrandom(2)).
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t part = std::min<std::size_t>(256, bytes.size() - done);
    const ssize_t got = ::getrandom(bytes.data() + done, part, 0);
    if (got > 0) done += static_cast<std::size_t>(got);
  }
}

Result<std::optional<FileLock>> FileLock::try_lock(const Path& path) {
  UniqueFd fd = TRY(open_file(path, O_RDWR | O_CREAT, 0644));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    // Whoever held it before may have removed the file: then this lock keeps nobody out.
    struct stat status {};
    if (::fstat(fd.get(), &status) == 0 && status.st_nlink > 0) return std::optional(FileLock(std::move(fd)));
    return std::optional<FileLock>();
  }
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return system_error("lock", path, errno);
}

Result<FileLock> FileLock::wait(const Path& path) {
  UniqueFd fd = TRY(open_file(path, O_RDWR | O_CREAT, 0644));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return system_error("lock", path, errno);
  }
  return FileLock(std::move(fd));
}

}  // namespace trainyard
