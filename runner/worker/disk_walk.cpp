// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/disk_walk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

namespace trainyard {

namespace {

// A folder deeper than this is reached from the one below it through "..", so that no depth needs more descriptors.
constexpr std::size_t kMostOpen = 64;
// A file of 1 MiB or more that is moved while the walk goes on does not count twice.
constexpr blkcnt_t kLargeBlocks = 2048;
constexpr int kEntriesAtOnce = 256;
constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

}  // namespace

DiskWalk::DiskWalk(const std::vector<Path>& folders) : roots_(folders.rbegin(), folders.rend()) {}

bool DiskWalk::go_on(std::chrono::microseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  do {
    if (levels_.empty()) {
      if (roots_.empty()) return true;
      const Path root = std::move(roots_.back());
      roots_.pop_back();
      enter(AT_FDCWD, root.c_str());
    } else if (!levels_.back().read) {
      read_some();
    } else if (levels_.back().folders.empty()) {
      leave();
    } else {
      const std::string name = std::move(levels_.back().folders.back());
      levels_.back().folders.pop_back();
      enter(::dirfd(levels_.back().folder.get()), name.c_str());
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return levels_.empty() && roots_.empty();
}

void DiskWalk::enter(int above, const char* name) {
  const UniqueFd fd(::openat(above, name, kOpenFolder));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return;
  if (levels_.empty()) device_ = status.st_dev;
  const Identity identity(status.st_dev, status.st_ino);
  // Its own size is counted where it is found, but for a root. Two roots may lie in each other.
  if (status.st_dev != device_ || !counted_.insert(identity).second) return;
  count(status);
  const int own = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(own));
  if (!folder) {
    if (own >= 0) ::close(own);
    return;
  }
  if (levels_.size() >= kMostOpen) levels_.back().folder.reset();
  levels_.push_back({identity, std::move(folder), false, {}});
}

void DiskWalk::read_some() {
  Level& level = levels_.back();
  const int fd = ::dirfd(level.folder.get());
  for (int i = 0; i < kEntriesAtOnce; ++i) {
    const dirent* const entry = ::readdir(level.folder.get());
    if (entry == nullptr) {
      level.read = true;
      return;
    }
    const char* const name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    struct stat status {};
    if (::fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) continue;
    if (S_ISDIR(status.st_mode)) {
      level.folders.emplace_back(name);
    } else if ((status.st_nlink == 1 && status.st_blocks < kLargeBlocks) ||
               counted_.insert({status.st_dev, status.st_ino}).second) {
      count(status);
    }
  }
}

void DiskWalk::leave() {
  const Level left = std::move(levels_.back());
  levels_.pop_back();
  if (levels_.empty() || levels_.back().folder) return;
  // Somebody may have moved the folder meanwhile: then ".." is another one, and nothing of it is ours to count.
  const int fd = ::openat(::dirfd(left.folder.get()), "..", kOpenFolder);
  struct stat status {};
  const bool same =
      fd >= 0 && ::fstat(fd, &status) == 0 && Identity(status.st_dev, status.st_ino) == levels_.back().identity;
  if (same) levels_.back().folder.reset(::fdopendir(fd));
  if (levels_.back().folder) return;
  if (fd >= 0) ::close(fd);
  while (!levels_.empty() && !levels_.back().folder) levels_.pop_back();
}

void DiskWalk::count(const struct stat& status) { bytes_ += std::int64_t{status.st_blocks} * 512; }

}  // namespace trainyard
