// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fork_bombs.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace trainyard::test {

namespace {

using std::chrono::steady_clock;

bool is_over(steady_clock::time_point end) { return steady_clock::now() > end; }

void leave_session(Sessions sessions) {
  if (sessions == Sessions::own) static_cast<void>(::setsid());
}

[[noreturn]] void grow(Sessions sessions, steady_clock::time_point end) {
  static_cast<void>(std::signal(SIGCHLD, SIG_IGN));
  while (!is_over(end)) {
    if (::fork() == 0) leave_session(sessions);
  }
  ::_exit(0);
}

[[noreturn]] void run_on(Sessions sessions, steady_clock::time_point end) {
  while (!is_over(end)) {
    const pid_t next = ::fork();
    if (next > 0) ::_exit(0);
    if (next == 0) leave_session(sessions);
  }
  ::_exit(0);
}

}  // namespace

void explode(Bomb bomb, Sessions sessions) {
  const auto end = steady_clock::now() + kBombEnds;
  if (bomb == Bomb::tree) grow(sessions, end);
  for (int chain = 1; chain < 8; ++chain) {
    if (::fork() == 0) run_on(sessions, end);
  }
  run_on(sessions, end);
}

int code_of(pid_t child) {
  const auto end = steady_clock::now() + std::chrono::seconds(60);
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (ended < 0 && errno != EINTR) return -1;
    if (is_over(end)) static_cast<void>(::kill(child, SIGKILL));
    static_cast<void>(::usleep(1000));
  }
}

}  // namespace trainyard::test
