// SPDX-License-Identifier: Apache-2.0
// Throws something that is not a std::exception.
#include <trainyard/package.hpp>

namespace {

class ThrowsInt {
 public:
  explicit ThrowsInt(trainyard::Run&) {}
  void train(const std::filesystem::path&) { throw 42; }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ThrowsInt)
