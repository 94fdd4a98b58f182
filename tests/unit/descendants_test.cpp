// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/descendants.hpp"

#include <grp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "runner/worker/job_cgroup.hpp"
#include "tests/unit/fork_bombs.hpp"
#include "tests/unit/supervising.hpp"

namespace trainyard::descendants_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::Bomb;
using test::Sessions;

constexpr rlim_t kMostProcesses = 200;
// Who else has processes would count.
constexpr uid_t kNobodyElse = 61'873;

void be_supervisor() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  static_cast<void>(adopt_orphans());
}

bool become_ordinary_user() {
  const rlimit limit{kMostProcesses, kMostProcesses};
  if (::geteuid() != 0) return false;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(kNobodyElse, kNobodyElse, kNobodyElse) == 0 &&
         ::setresuid(kNobodyElse, kNobodyElse, kNobodyElse) == 0 && ::setrlimit(RLIMIT_NPROC, &limit) == 0;
}

enum Ended { gone = 0, slow = 1, not_bounded = 2, not_alive = 3, left = 4 };

// What a supervisor of such a package sees.
Ended end_bomb(Bomb bomb, Sessions sessions) {
  be_supervisor();
  const pid_t root = ::fork();
  if (root == 0) test::explode(bomb, sessions);
  static_cast<void>(::usleep(300'000));
  if (descendants().empty()) return not_alive;
  const auto begin = steady_clock::now();
  kill_descendants();
  const auto took = steady_clock::now() - begin;
  if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return left;
  return took < std::chrono::seconds(20) ? gone : slow;
}

}  // namespace

TEST_CASE("all descendants are found, whichever thread has started them", "[descendants]") {
  CHECK(test::in_child([] {
          be_supervisor();
          std::atomic<pid_t> of_thread = 0;
          std::thread starter([&] {
            of_thread = ::fork();
            if (of_thread == 0) {
              // A child of its own, in another session.
              if (::fork() == 0) static_cast<void>(::setsid());
              ::pause();
            }
            while (descendants().size() < 2) static_cast<void>(::usleep(1000));
          });
          starter.join();
          const std::vector<pid_t> found = descendants();
          const bool has_it = std::find(found.begin(), found.end(), of_thread) != found.end();
          kill_descendants();
          return found.size() == 2 && has_it && descendants().empty() ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process that was stopped, or has threads, is killed like others", "[descendants]") {
  CHECK(test::in_child([] {
          be_supervisor();
          const pid_t stopped = ::fork();
          if (stopped == 0) {
            static_cast<void>(::raise(SIGSTOP));
            ::_exit(0);
          }
          if (::fork() == 0) {
            std::thread([] { ::pause(); }).detach();
            // Its first thread ends before it.
            ::syscall(SYS_exit, 0);
          }
          static_cast<void>(::usleep(50'000));
          const auto begin = steady_clock::now();
          kill_descendants();
          return steady_clock::now() - begin < std::chrono::seconds(5) ? 0 : 1;
        }) == 0);
}

TEST_CASE("what forks faster than it is killed is ended for an ordinary user", "[descendants]") {
  if (::geteuid() != 0) return skip("an ordinary user has other processes that count");
  for (const Bomb bomb : {Bomb::tree, Bomb::chains}) {
    for (const Sessions sessions : {Sessions::shared, Sessions::own}) {
      CAPTURE(static_cast<int>(bomb), static_cast<int>(sessions));
      CHECK(test::in_child([&] { return become_ordinary_user() ? end_bomb(bomb, sessions) : not_bounded; }) == gone);
    }
  }
}

TEST_CASE("what forks faster than it is killed is ended for root", "[descendants]") {
  JobLimits limits;
  limits.processes = kMostProcesses;
  auto bound = JobCgroup::make("test-bombs-" + std::to_string(::getpid()), limits);
  if (!bound.ok() || !bound->facts().processes) return skip("nothing bounds the number of processes here");
  for (const Bomb bomb : {Bomb::tree, Bomb::chains}) {
    for (const Sessions sessions : {Sessions::shared, Sessions::own}) {
      CAPTURE(static_cast<int>(bomb), static_cast<int>(sessions));
      CHECK(test::in_child([&] { return bound->join().ok() ? end_bomb(bomb, sessions) : not_bounded; }) == gone);
    }
  }
  CHECK(bound->remove().ok());
}

}  // namespace trainyard::descendants_test
