// SPDX-License-Identifier: Apache-2.0
// Aborts the process in train.
#include <trainyard/package.hpp>

#include <cstdlib>

namespace {

class Aborts {
 public:
  explicit Aborts(trainyard::Run&) {}
  void train(const std::filesystem::path&) { std::abort(); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(Aborts)
