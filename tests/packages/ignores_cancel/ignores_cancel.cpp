// SPDX-License-Identifier: Apache-2.0
// Works for `seconds` without ever asking whether it should stop.
#include <trainyard/package.hpp>

#include <chrono>
#include <thread>

namespace {

class IgnoresCancel {
 public:
  explicit IgnoresCancel(trainyard::Run& run) : run_(run) {}
  void train(const std::filesystem::path&) {
    std::this_thread::sleep_for(std::chrono::duration<double>(run_.parameter<double>("seconds", 30.0)));
  }
  void save() {}

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(IgnoresCancel)
