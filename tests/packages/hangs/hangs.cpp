// SPDX-License-Identifier: Apache-2.0
// Never returns from train, and neither hears SIGTERM nor asks whether it should stop.
#include <trainyard/package.hpp>

#include <chrono>
#include <csignal>
#include <thread>

namespace {

class Hangs {
 public:
  explicit Hangs(trainyard::Run&) {}
  void train(const std::filesystem::path&) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, nullptr);
    std::signal(SIGTERM, SIG_IGN);
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(Hangs)
