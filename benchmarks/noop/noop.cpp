// SPDX-License-Identifier: Apache-2.0
#include <trainyard/package.hpp>

// Does nothing, so that whatever a run of it takes is the runner's own.
class Noop {
 public:
  explicit Noop(trainyard::Run& /*run*/) {}
  void train(const std::filesystem::path& /*data*/) {}
  void save() {}
};

TRAINYARD_PACKAGE(Noop)
