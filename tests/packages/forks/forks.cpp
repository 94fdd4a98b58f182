// SPDX-License-Identifier: Apache-2.0
// Leaves a daemon behind: in a session of its own, without a parent, deaf to SIGTERM, asleep for 1000 s.
// artifacts/daemon.pid tells whom to look for.
#include <trainyard/package.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace {

[[noreturn]] void be_a_daemon(int tell) {
  setsid();
  if (fork() != 0) _exit(0);
  std::signal(SIGTERM, SIG_IGN);
  const pid_t self = getpid();
  if (write(tell, &self, sizeof self) != sizeof self) _exit(1);
  close(tell);
  for (unsigned left = 1000; left > 0;) left = sleep(left);
  _exit(0);
}

class Forks {
 public:
  explicit Forks(trainyard::Run& run) : run_(run) {}

  void train(const std::filesystem::path&) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no fork");
    if (child == 0) be_a_daemon(ends[1]);
    close(ends[1]);
    waitpid(child, nullptr, 0);
    pid_t daemon = 0;
    const bool told = read(ends[0], &daemon, sizeof daemon) == sizeof daemon;
    close(ends[0]);
    if (!told) throw std::runtime_error("the daemon did not start");
    std::ofstream(run_.artifacts_directory() / "daemon.pid") << daemon << "\n";
  }

  void save() {}

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Forks)
