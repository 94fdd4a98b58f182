// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/descendants.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <sstream>
#include <vector>

#include "storage/files/files.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostListBytes = std::size_t{64} << 20U;

// Children only, not their children: a child's number cannot be given to another process before we have waited for it.
std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  const auto list = read_file("/proc/thread-self/children", kMostListBytes);
  if (!list.ok()) return pids;
  std::istringstream words(*list);
  for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
  return pids;
}

}  // namespace

Result<void> adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    return system_error("become the reaper of", "the job's processes", errno);
  return {};
}

void kill_descendants() {
  sigset_t child_ended;
  ::sigemptyset(&child_ended);
  ::sigaddset(&child_ended, SIGCHLD);
  // The list may lack a child that is adopted while it is read, so no wait here is without end.
  constexpr timespec kPause{0, 20'000'000};
  for (;;) {
    pid_t reaped = 0;
    do {
      reaped = ::waitpid(-1, nullptr, WNOHANG);
    } while (reaped > 0);
    if (reaped < 0) return;
    for (const pid_t child : children()) static_cast<void>(::kill(child, SIGKILL));
    static_cast<void>(::sigtimedwait(&child_ended, nullptr, &kPause));
  }
}

}  // namespace trainyard
