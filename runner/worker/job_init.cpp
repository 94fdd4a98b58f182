// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_init.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "runner/worker/exit_codes.hpp"

namespace trainyard {

namespace {

void reap(pid_t job, int report) {
  for (;;) {
    int raw = 0;
    const pid_t ended = ::waitpid(-1, &raw, WNOHANG);
    if (ended <= 0) return;
    if (ended != job) continue;
    // A report that nobody reads any more has no reader to miss it.
    static_cast<void>(::write(report, &raw, sizeof(raw)));
    ::_exit(kDone);
  }
}

}  // namespace

void be_init(pid_t job, int report) {
  static_cast<void>(::prctl(PR_SET_NAME, "trainyard-init", 0, 0, 0));
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, SIGCHLD);
  ::sigaddset(&awaited, SIGTERM);
  reap(job, report);
  for (;;) {
    siginfo_t heard{};
    const int number = ::sigwaitinfo(&awaited, &heard);
    if (number == SIGCHLD) reap(job, report);
    // Only what comes from outside of the namespace: the job does not stop itself through us.
    if (number == SIGTERM && heard.si_pid == 0) {
      static_cast<void>(::kill(-job, SIGTERM));
      if (::getpgid(job) != job) static_cast<void>(::kill(job, SIGTERM));
    }
  }
}

}  // namespace trainyard
