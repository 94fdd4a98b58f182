// SPDX-License-Identifier: Apache-2.0
// Ends the process in train with exit code 0, without any exit handler.
#include <trainyard/package.hpp>

#include <unistd.h>

namespace {

class QuickExits {
 public:
  explicit QuickExits(trainyard::Run&) {}
  void train(const std::filesystem::path&) { _exit(0); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(QuickExits)
