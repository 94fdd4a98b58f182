// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// One process of this machine, told apart from every other that had or will have its number, also over a restart of the
// machine.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/<pid>/stat: clock ticks since the machine started
  std::string boot;               // /proc/sys/kernel/random/boot_id

  // `not_found` when there is no such process. One that has ended but was not yet waited for still has an identity.
  static Result<ProcessIdentity> of(pid_t pid);

  // "local:<pid>:<start ticks>:<boot>"
  static Result<ProcessIdentity> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// False once it has ended, whether or not it was waited for.
bool is_running(const ProcessIdentity& process);

// Kills what is left of the session that a process led which has ended.
void kill_session_of(const ProcessIdentity& ended_leader);

// Never reaches another process of the same number. One that has ended is fine.
Result<void> signal_process(const ProcessIdentity& process, int number);

}  // namespace trainyard
