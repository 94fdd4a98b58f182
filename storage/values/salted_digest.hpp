// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "storage/values/digest.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What may be kept of a secret: enough for who knows it to tell whether it is the same, and for nobody else. PBKDF2 with
// HMAC-SHA-256 (RFC 8018), so slow to make that a short secret is not found by trying.
struct SaltedDigest {
  static constexpr std::size_t kSaltBytes = 16;
  static constexpr int kIterations = 600'000;
  using Salt = std::array<std::uint8_t, kSaltBytes>;

  Salt salt{};
  Digest digest;

  static Result<SaltedDigest> of(std::string_view secret, const Salt& salt);
  friend bool operator==(const SaltedDigest&, const SaltedDigest&) = default;
};

// {"algorithm":"pbkdf2-hmac-sha256","iterations","salt","digest"}
Json to_json(const SaltedDigest& digest);
Result<SaltedDigest> salted_digest_from(const Json& json);

}  // namespace trainyard
