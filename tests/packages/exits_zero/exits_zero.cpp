// SPDX-License-Identifier: Apache-2.0
// Ends the process in train with exit code 0: that is not success.
#include <trainyard/package.hpp>

#include <cstdlib>

namespace {

class ExitsZero {
 public:
  explicit ExitsZero(trainyard::Run&) {}
  void train(const std::filesystem::path&) { std::exit(0); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ExitsZero)
