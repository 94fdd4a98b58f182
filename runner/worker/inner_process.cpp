// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/inner_process.hpp"
#include "runner/worker/system_refusal.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace trainyard {

namespace {

constexpr unsigned kFlushSeconds = 5;

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);
std::atomic<int> code_at_alarm{0};

void note_stop(int) { asked.store(true, std::memory_order_relaxed); }
void end_now(int) { ::_exit(code_at_alarm.load()); }

Result<void> on_signal(int number, void (*handle)(int)) {
  struct sigaction action {};
  action.sa_handler = handle;
  // A package that reads or waits need not know of the signal.
  action.sa_flags = SA_RESTART;
  if (::sigaction(number, &action, nullptr) != 0) return refused_by_system("handle a signal");
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, number);
  if (::sigprocmask(SIG_UNBLOCK, &mask, nullptr) != 0) return refused_by_system("unblock a signal");
  return {};
}

}  // namespace

Result<void> become_inner(pid_t supervisor) {
  if (supervisor > 0) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
      return refused_by_system("tie this process to its supervisor");
    // It may have died before the tie was made.
    if (::getppid() != supervisor) return fail(Errc::cancelled, "the supervisor has died");
  }
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-inner", 0, 0, 0));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused_by_system("give up new privileges");
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) return refused_by_system("switch core files off");
  return on_signal(SIGTERM, note_stop);
}

bool stop_asked() { return asked.load(std::memory_order_relaxed); }

void end_inner(int code) {
  // A thread of the package may hold the lock of a stream for ever.
  code_at_alarm = code;
  static_cast<void>(on_signal(SIGALRM, end_now));
  ::alarm(kFlushSeconds);
  try {
    std::cout.flush();
    std::cerr.flush();
    std::clog.flush();
  } catch (...) {
    // The package made the stream throw; the text is lost to its own doing.
  }
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace trainyard
