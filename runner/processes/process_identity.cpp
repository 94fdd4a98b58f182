// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/process_identity.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "storage/files/files.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPlace = "local:";
constexpr std::size_t kMostProcBytes = 4096;

constexpr useconds_t kBetweenKills = 1000;

Result<std::string> boot_id() {
  std::string text = TRY(read_file("/proc/sys/kernel/random/boot_id", kMostProcBytes));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

struct ProcStat {
  char state = 0;
  pid_t session = 0;
  std::uint64_t start_ticks = 0;
};

Result<ProcStat> stat_of(pid_t pid) {
  const Path path = "/proc/" + std::to_string(pid) + "/stat";
  const auto read = read_file(path, kMostProcBytes);
  // A process that ends between open and read gives ESRCH instead of ENOENT.
  if (!read.ok()) return fail(Errc::not_found, "there is no process " + std::to_string(pid));
  std::string_view text = *read;
  // The second field is the program's name in parentheses, which may itself hold anything.
  const std::size_t name_end = text.rfind(") ");
  if (name_end != std::string_view::npos) {
    text.remove_prefix(name_end + 2);
    ProcStat stat{text.empty() ? '\0' : text.front(), 0, 0};
    for (int field = 3; field < 22; ++field) {
      if (field == 6) stat.session = number_in<pid_t>(text.substr(0, text.find(' '))).value_or(0);
      text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
    }
    if (const auto ticks = number_in<std::uint64_t>(text.substr(0, text.find(' ')))) {
      stat.start_ticks = *ticks;
      return stat;
    }
  }
  return fail(Errc::io, "cannot make sense of '" + path.string() + "'");
}

}  // namespace

Result<ProcessIdentity> ProcessIdentity::of(pid_t pid) {
  const ProcStat stat = TRY(stat_of(pid));
  auto boot = TRY(boot_id());
  return ProcessIdentity{pid, stat.start_ticks, std::move(boot)};
}

Result<ProcessIdentity> ProcessIdentity::parse(std::string_view text) {
  const Error invalid = fail(Errc::invalid, "'" + std::string(text) + "' is not the id of a job of this machine");
  if (!text.starts_with(kPlace)) return invalid;
  const std::string_view rest = text.substr(kPlace.size());
  const std::size_t first = rest.find(':');
  const std::size_t second = first == std::string_view::npos ? first : rest.find(':', first + 1);
  if (second == std::string_view::npos) return invalid;
  const auto pid = number_in<pid_t>(rest.substr(0, first));
  const auto ticks = number_in<std::uint64_t>(rest.substr(first + 1, second - first - 1));
  if (!pid || !ticks || *pid <= 0 || second + 1 == rest.size()) return invalid;
  return ProcessIdentity{*pid, *ticks, std::string(rest.substr(second + 1))};
}

std::string ProcessIdentity::text() const {
  return std::string(kPlace) + std::to_string(pid) + ":" + std::to_string(start_ticks) + ":" + boot;
}

bool is_running(const ProcessIdentity& process) {
  const auto stat = stat_of(process.pid);
  if (!stat.ok() || stat->start_ticks != process.start_ticks || stat->state == 'Z' || stat->state == 'X') return false;
  const auto boot = boot_id();
  return boot.ok() && *boot == process.boot;
}

void kill_session_of(const ProcessIdentity& ended_leader) {
  const auto boot = boot_id();
  if (!boot.ok() || *boot != ended_leader.boot) return;
  // A number is not given to a new process as long as a session has it; once it is, nothing of the session is left.
  if (const auto stat = stat_of(ended_leader.pid); stat.ok() && stat->state != 'Z') return;
  for (bool found = true; found;) {
    found = false;
    const auto names = list_folder("/proc");
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      const auto pid = number_in<pid_t>(name);
      if (!pid || *pid == ended_leader.pid) continue;
      const auto stat = stat_of(*pid);
      if (!stat.ok() || stat->session != ended_leader.pid || stat->state == 'Z' || stat->state == 'X') continue;
      found = ::kill(*pid, SIGKILL) == 0 || found;
    }
    if (found) ::usleep(kBetweenKills);
  }
}

Result<void> signal_process(const ProcessIdentity& process, int number) {
  // Opened first: what is then verified stays the process that the descriptor means. By number, because the header
  // lacks C linkage in glibc 2.36.
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd && errno != ESRCH) return system_error("open the process", process.text(), errno);
  if (!pidfd || !is_running(process)) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0) == 0 || errno == ESRCH) return {};
  return system_error("signal the process", process.text(), errno);
}

}  // namespace trainyard
