// SPDX-License-Identifier: Apache-2.0
#include "storage/values/digest.hpp"

namespace trainyard {

namespace {

int lower_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view hex) {
  std::array<std::uint8_t, kBytes> bytes{};
  if (hex.size() != 2 * kBytes)
    return fail(Errc::invalid, "'" + std::string(hex) + "' is not a SHA-256 of 64 hexadecimal digits");
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int high = lower_hex_value(hex[2 * i]);
    const int low = lower_hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return fail(Errc::invalid, "'" + std::string(hex) + "' is not a SHA-256 in lowercase hexadecimal digits");
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kBytes);
  for (const std::uint8_t byte : bytes_) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace trainyard
