// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/stop_signals.hpp"

#include <sys/signalfd.h>

#include <csignal>

namespace trainyard {

Result<UniqueFd> open_stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, number);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::sigdelset(&signals, SIGHUP);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail(Errc::io, "cannot listen to signals");
  return fd;
}

}  // namespace trainyard
