// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/open_below.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

namespace trainyard {

namespace {

// For kernels and sandboxes without openat2, and for paths longer than it takes.
Result<UniqueFd> step_by_step(int root, const std::string& path, const Path& shown) {
  UniqueFd above;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const int flags = end == path.size() ? O_RDONLY | O_DIRECTORY : O_PATH | O_DIRECTORY;
    above =
        TRY(open_at(above ? above.get() : root, path.substr(begin, end - begin).c_str(), flags | O_NOFOLLOW, shown));
    begin = end + 1;
  }
  return above;
}

}  // namespace

Result<UniqueFd> open_folder_below(int root, const std::string& path, const Path& shown) {
  if (path.empty()) return open_at(root, ".", O_RDONLY | O_DIRECTORY, shown);
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  for (;;) {
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
    if (fd) return fd;
    if (errno == EINTR) continue;
    if (errno == ENOSYS || errno == EPERM || errno == ENAMETOOLONG) return step_by_step(root, path, shown);
    return system_error("open", shown, errno);
  }
}

Result<OpenFolders::Folder> OpenFolders::open(std::string_view path) {
  Slot& slot = slots_[std::hash<std::string_view>()(path) % slots_.size()];
  Folder root;
  {
    const std::lock_guard lock(mutex_);
    if (!root_folder_) root_folder_ = std::make_shared<UniqueFd>(TRY(open_file(root_, O_RDONLY | O_DIRECTORY)));
    if (path.empty()) return root_folder_;
    if (slot.folder && slot.path == path) return slot.folder;
    root = root_folder_;
  }
  auto folder = std::make_shared<UniqueFd>(TRY(open_folder_below(root->get(), std::string(path), shown(path, ""))));
  const std::lock_guard lock(mutex_);
  slot.path = path;
  slot.folder = folder;
  return Folder(std::move(folder));
}

Path OpenFolders::shown(std::string_view folder, std::string_view name) const {
  Path path = root_;
  if (!folder.empty()) path.append(folder.begin(), folder.end());
  if (!name.empty()) path.append(name.begin(), name.end());
  return path;
}

}  // namespace trainyard
