// SPDX-License-Identifier: Apache-2.0
// Starts processes that do not want to end. Each holds the lock of artifacts/alive, shared, for as long as it lives, so who
// gets it alone knows that nobody is left. Nothing lives for more than a minute, whatever the sandbox does.
//
//   daemon   without a parent, in a session of its own, deaf to what can be refused
//   deaf     a child with a thread that blocks every signal
//   stopped  a child that is stopped
//   tree     grandchildren in sessions of their own, below a parent that waits
//   hopper   each process starts its successor and ends at once
//   storm    two hundred processes, each of which starts another when it can
#include <trainyard/package.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

constexpr unsigned kLongestLife = 60;

void ignore_what_can_be() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_IGN);
}

[[noreturn]] void live_on() {
  ignore_what_can_be();
  ::alarm(0);
  for (unsigned left = kLongestLife; left > 0;) left = ::sleep(left);
  ::_exit(0);
}

[[noreturn]] void be_a_daemon() {
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  live_on();
}

[[noreturn]] void be_deaf() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::thread([] { live_on(); }).join();
  ::_exit(0);
}

[[noreturn]] void be_a_tree() {
  for (int i = 0; i < 3; ++i) {
    if (::fork() != 0) continue;
    ::setsid();
    if (::fork() == 0) ::setsid();
    live_on();
  }
  live_on();
}

[[noreturn]] void hop() {
  ignore_what_can_be();
  const time_t end = ::time(nullptr) + kLongestLife;
  while (::time(nullptr) < end) {
    if (::fork() > 0) ::_exit(0);
  }
  ::_exit(0);
}

[[noreturn]] void storm() {
  void* const shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const alive = new (shared) std::atomic<int>(1);
  ignore_what_can_be();
  std::signal(SIGCHLD, SIG_IGN);
  const time_t end = ::time(nullptr) + kLongestLife;
  while (::time(nullptr) < end) {
    if (alive->fetch_add(1) >= 200) {
      alive->fetch_sub(1);
      ::usleep(1000);
      continue;
    }
    if (::fork() < 0) alive->fetch_sub(1);
  }
  ::_exit(0);
}

class Lingers {
 public:
  explicit Lingers(trainyard::Run& run) : run_(run) {}

  void train(const std::filesystem::path&) {
    const auto what = run_.parameter<std::string>("what", "daemon");
    const int alive = ::open((run_.artifacts_directory() / "alive").c_str(), O_RDWR | O_CREAT, 0600);
    if (alive < 0 || ::flock(alive, LOCK_SH) != 0) throw std::runtime_error("no lock");
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no fork");
    if (child == 0) {
      if (what == "daemon") be_a_daemon();
      if (what == "deaf") be_deaf();
      if (what == "tree") be_a_tree();
      if (what == "hopper") hop();
      if (what == "storm") storm();
      live_on();
    }
    if (what == "stopped") ::kill(child, SIGSTOP);
    ::usleep(100'000);
    const auto end = run_.parameter<std::string>("end", "returns");
    if (end == "crashes") std::raise(SIGKILL);
    if (end == "exits") ::_exit(3);
    while (end == "hangs") ::sleep(1);
  }

  void save() {}

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Lingers)
