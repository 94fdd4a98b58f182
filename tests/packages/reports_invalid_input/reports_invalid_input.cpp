// SPDX-License-Identifier: Apache-2.0
// Says that the user's data is unusable.
#include <trainyard/package.hpp>

namespace {

class ReportsInvalidInput {
 public:
  explicit ReportsInvalidInput(trainyard::Run&) {}
  void train(const std::filesystem::path&) { throw trainyard::InvalidInput("the dataset has no file labels.csv"); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ReportsInvalidInput)
