// SPDX-License-Identifier: Apache-2.0
// Calls a function that no library has. A package linked with trainyard_add_package() cannot get this far; this one is
// linked with the check switched off.
#include <trainyard/package.hpp>

extern "C" void trainyard_test_function_that_is_nowhere();

namespace {

class MissingSymbol {
 public:
  explicit MissingSymbol(trainyard::Run&) {}
  void train(const std::filesystem::path&) { trainyard_test_function_that_is_nowhere(); }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(MissingSymbol)
