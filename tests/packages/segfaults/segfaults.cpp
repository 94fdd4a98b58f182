// SPDX-License-Identifier: Apache-2.0
// Writes through a null pointer.
#include <trainyard/package.hpp>

#include <cstdint>

namespace {

class Segfaults {
 public:
  explicit Segfaults(trainyard::Run&) {}
  // The undefined-behaviour sanitizer would end the process in a way of its own.
  __attribute__((no_sanitize("undefined"))) void train(const std::filesystem::path&) {
    volatile std::uintptr_t nowhere = 0;
    *reinterpret_cast<volatile int*>(nowhere) = 1;
  }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(Segfaults)
