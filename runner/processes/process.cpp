// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "runner/processes/poll_until.hpp"

namespace trainyard {

namespace {

// posix_spawn's two objects. Their functions fail only for lack of memory or for a wrong argument, so their answers are
// added up.
class SpawnSettings {
 public:
  explicit SpawnSettings(const SpawnOptions& options) {
    add(::posix_spawn_file_actions_init(&actions_));
    add(::posix_spawnattr_init(&attributes_));
    place(options.in, 0, O_RDONLY);
    place(options.out, 1, O_WRONLY);
    place(options.err, 2, O_WRONLY);
    add(::posix_spawn_file_actions_addchdir_np(&actions_, options.working_directory.c_str()));
    add(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3));
    sigset_t blocked;
    sigset_t all;
    ::sigemptyset(&blocked);
    ::sigfillset(&all);
    for (const int number : options.blocked_signals) ::sigaddset(&blocked, number);
    add(::posix_spawnattr_setsigmask(&attributes_, &blocked));
    add(::posix_spawnattr_setsigdefault(&attributes_, &all));
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (options.group == SpawnOptions::Group::own) flags |= POSIX_SPAWN_SETPGROUP;
    if (options.group == SpawnOptions::Group::own_session) flags |= POSIX_SPAWN_SETSID;
    add(::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags)));
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  void add(int error) {
    if (error_ == 0) error_ = error;
  }
  void place(int from, int to, int flags) {
    add(from < 0 ? ::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", flags, 0)
                 : ::posix_spawn_file_actions_adddup2(&actions_, from, to));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int error_ = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::int64_t microseconds(const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; }

ExitStatus exit_status(int raw, const rusage& usage) {
  ExitStatus status;
  if (WIFSIGNALED(raw)) {
    status.signal = WTERMSIG(raw);
  } else {
    status.code = WEXITSTATUS(raw);
  }
  status.user_us = microseconds(usage.ru_utime);
  status.system_us = microseconds(usage.ru_stime);
  status.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  // The kernel counts in 512 bytes, whatever the blocks of the device.
  status.read_bytes = std::int64_t{usage.ru_inblock} * 512;
  status.written_bytes = std::int64_t{usage.ru_oublock} * 512;
  return status;
}

Error process_error(const std::string& what, int error_number) {
  return fail(error_number == ENOENT ? Errc::not_found : Errc::io, what + ": " + std::strerror(error_number));
}

}  // namespace

Result<Process> Process::spawn(const SpawnOptions& options) {
  const SpawnSettings settings(options);
  const std::string& program = options.program.empty() ? options.argv.at(0) : options.program;
  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  pid_t pid = -1;
  int error = settings.error();
  if (error == 0) {
    error = ::posix_spawn(&pid, program.c_str(), settings.actions(), settings.attributes(), pointers(arguments).data(),
                          pointers(variables).data());
  }
  if (error != 0) return process_error("cannot start '" + program + "' in '" + options.working_directory + "'", error);
  return own(pid);
}

Result<Process> Process::own(pid_t child) {
  // By number: the header for it lacks C linkage in glibc 2.36.
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  Process process(child, std::move(pidfd));
  if (!process.pidfd_) return process_error("cannot watch the process " + std::to_string(child), errno);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), status_(std::move(other.status_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0 || status_) return;
  static_cast<void>(::kill(pid_, SIGKILL));
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<std::optional<ExitStatus>> Process::wait(std::optional<std::chrono::milliseconds> timeout) {
  if (status_) return status_;
  pollfd end{pidfd_.get(), POLLIN, 0};
  if (!poll_until({&end, 1}, timeout ? std::optional(after(*timeout)) : std::nullopt)) return status_;
  int raw = 0;
  rusage usage{};
  pid_t reaped = -1;
  do {
    reaped = ::wait4(pid_, &raw, 0, &usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return process_error("cannot wait for the process " + std::to_string(pid_), errno);
  status_ = exit_status(raw, usage);
  return status_;
}

Result<void> Process::signal(int number) {
  if (status_ || ::kill(pid_, number) == 0) return {};
  return process_error("cannot signal the process " + std::to_string(pid_), errno);
}

}  // namespace trainyard
