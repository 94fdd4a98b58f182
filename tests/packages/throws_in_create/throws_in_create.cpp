// SPDX-License-Identifier: Apache-2.0
// Throws while the model is loaded.
#include <trainyard/package.hpp>

#include <stdexcept>

namespace {

class ThrowsInCreate {
 public:
  explicit ThrowsInCreate(trainyard::Run&) { throw std::runtime_error("the model cannot be loaded, on purpose"); }
  void train(const std::filesystem::path&) {}
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ThrowsInCreate)
