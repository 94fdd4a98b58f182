// SPDX-License-Identifier: Apache-2.0
// Counts its attempts in its checkpoint directory, and goes wrong in the first `failures` of them as `fault` says.
#include <trainyard/package.hpp>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

std::string setting(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

class Tries {
 public:
  explicit Tries(trainyard::Run& run) : run_(run) {}

  void train(const fs::path&) {
    const fs::path count = run_.directory("checkpoint").value() / "attempts";
    std::ifstream(count) >> attempt_;
    std::ofstream(count) << ++attempt_ << "\n";
    std::printf("attempt %d\n", attempt_);
    std::fflush(stdout);
    run_.metric("attempt", attempt_, 0);
    std::ofstream(run_.artifacts_directory() / ("attempt_" + std::to_string(attempt_))) << "x";
    std::ofstream(run_.package_directory() / ("left_by_" + std::to_string(attempt_))) << "x";
    if (attempt_ > std::stoi(setting("failures", "1"))) return;
    const std::string fault = setting("fault", "throws");
    if (fault == "throws") throw std::runtime_error("on purpose");
    if (fault == "blames") throw trainyard::InvalidInput("on purpose");
    if (fault == "exits") ::_exit(0);
    if (fault == "crashes") std::raise(SIGKILL);
    if (fault == "hangs with a child") {
      const pid_t child = ::fork();
      if (child > 0) std::ofstream(run_.directory("checkpoint").value() / "child") << child << "\n";
      for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    while (fault == "hangs") std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (fault == "takes a while") {
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
      throw std::runtime_error("on purpose");
    }
  }

  void save() { std::ofstream(run_.package_directory() / "model.txt") << attempt_ << "\n"; }

 private:
  trainyard::Run& run_;
  int attempt_ = 0;
};

}  // namespace

TRAINYARD_PACKAGE(Tries)
