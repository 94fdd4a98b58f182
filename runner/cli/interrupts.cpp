// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/interrupts.hpp"

#include <atomic>
#include <csignal>

namespace trainyard {

namespace {

std::atomic<int> count{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

void counted(int /*signal*/) { ++count; }

}  // namespace

void count_interrupts() {
  struct sigaction action {};
  action.sa_handler = counted;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

int interrupts() { return count; }

}  // namespace trainyard
