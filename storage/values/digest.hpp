// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// A SHA-256 (FIPS 180-4): the name of content. Its text form is 64 lowercase hexadecimal digits.
class Digest {
 public:
  static constexpr std::size_t kBytes = 32;

  explicit Digest(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}
  static Result<Digest> parse(std::string_view hex);

  [[nodiscard]] std::string hex() const;
  [[nodiscard]] const std::array<std::uint8_t, kBytes>& bytes() const { return bytes_; }

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_;
};

}  // namespace trainyard

template <>
struct std::hash<trainyard::Digest> {
  std::size_t operator()(const trainyard::Digest& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof(value); ++i) value = (value << 8U) | digest.bytes()[i];
    return value;
  }
};
