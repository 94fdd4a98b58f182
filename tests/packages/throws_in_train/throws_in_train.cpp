// SPDX-License-Identifier: Apache-2.0
// Throws in train.
#include <trainyard/package.hpp>

#include <stdexcept>

namespace {

class ThrowsInTrain {
 public:
  explicit ThrowsInTrain(trainyard::Run&) {}
  void train(const std::filesystem::path&) { throw std::runtime_error("training failed on purpose"); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ThrowsInTrain)
