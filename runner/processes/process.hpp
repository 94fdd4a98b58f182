// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/unique_fd.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// How a process begins. Beyond what is listed it inherits limits, umask and credentials, but no descriptor, no signal
// mask and no ignored signal.
struct SpawnOptions {
  enum class Group { inherited, own, own_session };

  std::vector<std::string> argv;                   // argv[0] is an absolute path
  std::string program;                             // an absolute path, where the program is not argv[0]
  std::map<std::string, std::string> environment;  // the whole of it
  std::string working_directory = "/";
  int in = -1;  // descriptors of the caller, 3 or higher, or -1 for /dev/null
  int out = -1;
  int err = -1;
  Group group = Group::inherited;
  std::vector<int>
      blocked_signals;  // blocked from the first instruction on, so that none is lost before the program listens
};

// How a process ended. Exactly one of `code` and `signal` is set.
struct ExitStatus {
  std::optional<int> code;
  std::optional<int> signal;
  std::int64_t user_us = 0;  // of the process and of the children that it waited for, in microseconds
  std::int64_t system_us = 0;
  std::int64_t peak_bytes = 0;  // the largest resident size of one of them
  std::int64_t read_bytes = 0;  // from storage, and to it
  std::int64_t written_bytes = 0;
};

// A child process. Owns it: one that has not ended when this is destroyed is killed and waited for, unless it was let
// go with `detach`. Not thread-safe. Nobody else may wait for the child, and SIGCHLD must not be ignored.
class Process {
 public:
  // Never forks this process's memory (posix_spawn), so it costs the same in a large process. Fails when the program
  // cannot be executed.
  static Result<Process> spawn(const SpawnOptions& options);

  // A child that the caller has forked itself.
  static Result<Process> own(pid_t child);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // A descriptor that polls readable once the process has ended.
  [[nodiscard]] int end_fd() const { return pidfd_.get(); }

  // Waits until the process has ended, at most for `timeout` (none: for ever). None when it still runs. Once it has
  // given a status it always gives the same.
  Result<std::optional<ExitStatus>> wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  // A process that has ended is fine.
  Result<void> signal(int number);
  // It goes on without us. Its end is then waited for by whoever inherits it.
  void detach() { pid_ = -1; }

 private:
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
};

}  // namespace trainyard
