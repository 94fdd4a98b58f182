// SPDX-License-Identifier: Apache-2.0
// Works for `seconds`, tells how far it is and stops when asked to.
#include <trainyard/package.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace {

class Slow {
 public:
  explicit Slow(trainyard::Run& run) : run_(run) {}
  void train(const std::filesystem::path&) {
    using Clock = std::chrono::steady_clock;
    const double seconds = run_.parameter<double>("seconds", 1.0);
    const Clock::time_point start = Clock::now();
    run_.info("works for " + std::to_string(seconds) + " s");
    for (int tick = 1;; ++tick) {
      run_.throw_if_cancelled();
      const double passed = std::chrono::duration<double>(Clock::now() - start).count();
      if (passed >= seconds) break;
      if (tick % 10 == 0) run_.progress(passed / seconds, "sleeping");
      if (tick % 100 == 0) run_.info("worked for " + std::to_string(passed) + " s");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    run_.progress(1.0, "done");
  }
  void save() {}

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Slow)
