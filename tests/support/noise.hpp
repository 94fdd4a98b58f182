// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace trainyard {

// Bytes that nothing compresses, others for each seed.
inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes;
  while (bytes.size() < size) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    for (unsigned i = 32; i < 64; i += 8) bytes += static_cast<char>((seed >> i) & 0xFFU);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace trainyard
