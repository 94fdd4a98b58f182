// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "storage/values/digest.hpp"

// A digest as it lies in a database: its 32 bytes.
namespace trainyard {

// Valid while the digest is.
inline std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes().data()), Digest::kBytes};
}

inline Result<Digest> digest_from_bytes(std::string_view bytes) {
  std::array<std::uint8_t, Digest::kBytes> array{};
  if (bytes.size() != array.size()) return fail(Errc::corrupt, "it has a digest of another length");
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return Digest(array);
}

}  // namespace trainyard
