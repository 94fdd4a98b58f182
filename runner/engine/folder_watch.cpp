// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/folder_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace trainyard {

FolderWatch::FolderWatch(const Path& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ && ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MOVED_TO) < 0) fd_.reset();
}

void FolderWatch::wait(int milliseconds) {
  pollfd waited{fd_.get(), POLLIN, 0};
  if (::poll(&waited, 1, milliseconds) <= 0) return;
  std::array<char, 4096> events;
  while (::read(fd_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace trainyard
