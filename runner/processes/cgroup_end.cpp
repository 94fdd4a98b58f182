// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/cgroup_end.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <set>
#include <sstream>

#include "runner/processes/poll_until.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostListBytes = std::size_t{64} << 20U;
constexpr std::chrono::seconds kLongestEnd{10};
constexpr std::chrono::milliseconds kLongestFreeze{200};
constexpr useconds_t kBetweenLooks = 1000;
// Descriptors that are open at the same time.
constexpr std::size_t kBatch = 128;

using Pids = std::set<std::int64_t>;

// The groups and all below them, those above first.
std::vector<Path> with_those_below(const std::vector<Path>& groups) {
  std::vector<Path> all = groups;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto names = list_folder(all[i]);
    if (!names.ok()) continue;
    const Path above = all[i];
    for (const std::string& name : *names) {
      // All else in a group is a file.
      if (const auto status = status_of(above / name); status.ok() && *status && S_ISDIR((*status)->st_mode))
        all.push_back(above / name);
    }
  }
  return all;
}

Pids listed_in(const std::vector<Path>& groups) {
  Pids pids;
  for (const Path& group : groups) {
    const auto text = read_file(group / "cgroup.procs", kMostListBytes);
    if (!text.ok()) continue;
    std::istringstream words(*text);
    // 0 stands for a process that this one's pid namespace has no number for.
    for (std::int64_t pid = 0; words >> pid;) {
      if (pid > 0) pids.insert(pid);
    }
  }
  return pids;
}

// False where the kernel has no such file or refuses.
bool set(const Path& file, std::string_view text) {
  const auto fd = open_file(file, O_WRONLY);
  return fd.ok() && write_all(fd->get(), text, file).ok();
}

void kill_batch(const std::vector<Path>& groups, const std::vector<std::int64_t>& pids) {
  std::vector<UniqueFd> opened;
  for (const std::int64_t pid : pids) opened.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // A number that is still listed once the descriptor is open did not go to a process of somebody else before.
  const Pids still = listed_in(groups);
  for (std::size_t i = 0; i < pids.size(); ++i) {
    if (opened[i] && still.contains(pids[i]))
      static_cast<void>(::syscall(SYS_pidfd_send_signal, opened[i].get(), SIGKILL, nullptr, 0));
  }
}

void freeze(const std::vector<Path>& groups) {
  for (const Path& group : groups) {
    if (!set(group / "freezer.state", "FROZEN")) continue;
    const SteadyTime deadline = after(kLongestFreeze);
    while (std::chrono::steady_clock::now() < deadline) {
      const auto state = read_file(group / "freezer.state", kMostListBytes);
      if (!state.ok() || state->starts_with("FROZEN")) break;
      static_cast<void>(::usleep(kBetweenLooks));
    }
  }
}

}  // namespace

std::vector<std::int64_t> processes_in(const std::vector<Path>& groups) {
  const Pids pids = listed_in(with_those_below(groups));
  return {pids.begin(), pids.end()};
}

void end_processes_in(const std::vector<Path>& groups) {
  for (const Path& group : groups) {
    // v2 from Linux 5.14 on does it all at once.
    if (!set(group / "cgroup.kill", "1")) static_cast<void>(set(group / "pids.max", "0"));
  }
  const SteadyTime deadline = after(kLongestEnd);
  for (;;) {
    const std::vector<Path> all = with_those_below(groups);
    if (listed_in(all).empty()) return;
    freeze(groups);
    const Pids found = listed_in(all);
    const std::vector<std::int64_t> pids(found.begin(), found.end());
    for (std::size_t first = 0; first < pids.size(); first += kBatch) {
      const auto begin = pids.begin() + static_cast<std::ptrdiff_t>(first);
      kill_batch(all, {begin, begin + static_cast<std::ptrdiff_t>(std::min(kBatch, pids.size() - first))});
    }
    // What is frozen does not die.
    for (const Path& group : all) static_cast<void>(set(group / "freezer.state", "THAWED"));
    if (std::chrono::steady_clock::now() >= deadline) return;
    static_cast<void>(::usleep(kBetweenLooks));
  }
}

Result<void> remove_cgroups(const std::vector<Path>& groups) {
  for (const Path& group : groups) {
    const bool is_group = !is_there(group) || is_there(group / "cgroup.procs");
    if (!is_group || !std::string_view(group.filename().native()).starts_with(kCgroupPrefix))
      return fail(Errc::invalid, "'" + group.string() + "' is not the control group of a job");
  }
  end_processes_in(groups);
  std::vector<Path> all = with_those_below(groups);
  std::reverse(all.begin(), all.end());
  const SteadyTime deadline = after(kLongestEnd);
  for (const Path& group : all) {
    // Busy for as long as a process is on its way out.
    while (::rmdir(group.c_str()) != 0 && errno != ENOENT) {
      const int error = errno;
      if (error != EBUSY || std::chrono::steady_clock::now() >= deadline) return system_error("remove", group, error);
      static_cast<void>(::usleep(kBetweenLooks));
    }
  }
  return {};
}

Result<void> remove_listed_cgroups(const Path& list) {
  const auto text = read_file(list, kMostListBytes);
  std::istringstream lines(text.ok() ? *text : "");
  std::vector<Path> groups;
  for (std::string line; std::getline(lines, line);) groups.emplace_back(line);
  return remove_cgroups(groups);
}

}  // namespace trainyard
