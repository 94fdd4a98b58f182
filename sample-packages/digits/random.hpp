// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace digits {

/// SplitMix64: the same numbers from the same seed with every compiler and standard library, which <random>'s
/// distributions do not promise. Not for secrets.
///
/// The generator is the one of G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014, with the constants of S. Vigna's public-domain splitmix64.c (https://prng.di.unimi.it/splitmix64.c).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// Evenly distributed in [0, limit); `limit` is 1 or more.
  std::uint64_t below(std::uint64_t limit) {
    const std::uint64_t uneven = (0 - limit) % limit;  // 2^64 mod limit: so many values would make low ones likelier
    std::uint64_t value = next();
    while (value < uneven) value = next();
    return value % limit;
  }

  /// Evenly distributed in [low, high).
  float between(float low, float high) {
    const double unit = static_cast<double>(next() >> 11U) * 0x1.0p-53;
    return static_cast<float>(low + (high - low) * unit);
  }

 private:
  std::uint64_t state_;
};

}  // namespace digits
