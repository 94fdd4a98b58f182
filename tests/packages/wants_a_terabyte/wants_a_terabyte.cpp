// SPDX-License-Identifier: Apache-2.0
// Allocates 1 TiB and writes into it.
// Where the system grants that much, only one page in 64 MiB is touched, and then the package gives up as if it had
// been refused: the outcome is the same and the machine survives.
#include <trainyard/package.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace {

class WantsATerabyte {
 public:
  explicit WantsATerabyte(trainyard::Run&) {}
  void train(const std::filesystem::path&) {
    constexpr std::size_t kTebibyte = std::size_t{1} << 40;
    constexpr std::size_t kStride = std::size_t{64} << 20;
    const std::unique_ptr<unsigned char[]> memory(new unsigned char[kTebibyte]);
    volatile unsigned char* const bytes = memory.get();
    for (std::size_t i = 0; i < kTebibyte; i += kStride) bytes[i] = 1;
    throw std::bad_alloc();
  }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(WantsATerabyte)
