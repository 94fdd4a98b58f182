// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/descendants.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <set>
#include <sstream>

#include "storage/files/files.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostListBytes = std::size_t{64} << 20U;
// Whoever cannot be stopped, as in an uninterruptible wait, is killed unstopped.
constexpr int kMostPasses = 1000;

void read_children(const Path& list, std::vector<pid_t>& pids) {
  const auto text = read_file(list, kMostListBytes);
  if (!text.ok()) return;
  std::istringstream words(*text);
  for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> pids;
  const Path tasks = "/proc/" + std::to_string(parent) + "/task";
  const std::string main_thread = std::to_string(parent);
  read_children(tasks / main_thread / "children", pids);
  const auto status = status_of(tasks);
  // One link for each thread beside the two of any folder.
  if (!status.ok() || !*status || (*status)->st_nlink == 3) return pids;
  const auto threads = list_folder(tasks);
  if (!threads.ok()) return pids;
  for (const std::string& thread : *threads) {
    if (thread != main_thread) read_children(tasks / thread / "children", pids);
  }
  return pids;
}

struct ProcessStat {
  char state = 'X';
  pid_t parent = 0;
};

// "17 (any) text)) S 1 ..."
std::optional<ProcessStat> stat_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", kMostListBytes);
  if (!text.ok()) return std::nullopt;
  const std::size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos || name_end + 4 >= text->size()) return std::nullopt;
  const std::string_view parent = std::string_view(*text).substr(name_end + 4);
  return ProcessStat{(*text)[name_end + 2], number_in<pid_t>(parent.substr(0, parent.find(' '))).value_or(0)};
}

// Stops or kills all that descends from this process.
class Hunt {
 public:
  // False when there is nobody left to wait for.
  bool reap() {
    for (;;) {
      const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
      if (reaped <= 0) return reaped == 0;
      // The next process may have the number.
      stopped_.erase(reaped);
      killed_.erase(reaped);
    }
  }

  // Two passes suffice where nothing forks: one that stops, one that finds all of them stopped.
  void stop_all() {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      found_new_ = false;
      // What forks one and ends leaves more of the dead than can be looked at.
      if (!reap()) return;
      walk(SIGSTOP);
      if (!found_new_) return;
    }
  }

  // True when somebody was killed who had not been before.
  bool kill_all() {
    found_new_ = false;
    walk(SIGKILL);
    return found_new_;
  }

 private:
  void walk(int number) {
    const pid_t self = ::getpid();
    std::vector<std::pair<pid_t, pid_t>> left;  // a process and its parent
    const auto add_children = [&](pid_t parent) {
      for (const pid_t child : children_of(parent)) left.emplace_back(child, parent);
    };
    add_children(self);
    while (!left.empty()) {
      const auto [pid, parent] = left.back();
      left.pop_back();
      if (parent == self) {
        // Its number cannot go to another process before we have waited for it.
        signal_child(pid, number);
      } else if (!signal_deeper(pid, parent, number)) {
        continue;
      }
      add_children(pid);
    }
  }

  void signal_child(pid_t pid, int number) {
    static_cast<void>(::kill(pid, number));
    note(pid, number, stat_of(pid));
  }

  // False when the number may be that of another process by now.
  bool signal_deeper(pid_t pid, pid_t parent, int number) {
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto stat = stat_of(pid);
    if (!pidfd || !stat || stat->parent != parent) return false;
    static_cast<void>(::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0));
    note(pid, number, stat);
    return true;
  }

  void note(pid_t pid, int number, const std::optional<ProcessStat>& stat) {
    if (number == SIGKILL) {
      found_new_ = killed_.insert(pid).second || found_new_;
    } else if (!killed_.contains(pid)) {
      const bool is_new = stopped_.insert(pid).second;
      // Its signal has not come yet, or somebody has let it go on.
      const bool may_run = stat && (stat->state == 'R' || stat->state == 'S');
      found_new_ = found_new_ || is_new || may_run;
    }
  }

  std::set<pid_t> stopped_;
  std::set<pid_t> killed_;
  bool found_new_ = false;
};

}  // namespace

Result<void> adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    return system_error("become the reaper of", "the job's processes", errno);
  return {};
}

std::vector<pid_t> descendants() {
  std::vector<pid_t> all = children_of(::getpid());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<pid_t> below = children_of(all[i]);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

void kill_descendants() {
  sigset_t child_ended;
  ::sigemptyset(&child_ended);
  ::sigaddset(&child_ended, SIGCHLD);
  // The list may lack a child that is adopted while it is read, so no wait here is without end.
  constexpr timespec kPause{0, 20'000'000};
  Hunt hunt;
  while (hunt.reap()) {
    hunt.stop_all();
    if (!hunt.kill_all()) static_cast<void>(::sigtimedwait(&child_ended, nullptr, &kPause));
  }
}

}  // namespace trainyard
