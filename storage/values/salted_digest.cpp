// SPDX-License-Identifier: Apache-2.0
#include "storage/values/salted_digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

namespace trainyard {

namespace {

constexpr std::string_view kDerivation = "pbkdf2-hmac-sha256";

std::string hex(const SaltedDigest::Salt& salt) {
  std::string text;
  for (const std::uint8_t byte : salt) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

Result<SaltedDigest::Salt> parse_salt(std::string_view text) {
  SaltedDigest::Salt salt{};
  for (std::size_t i = 0; text.size() == 2 * salt.size() && i < salt.size(); ++i) {
    const auto read = std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, salt[i], 16);
    if (read.ptr != text.data() + 2 * i + 2) break;
  }
  if (hex(salt) == text) return salt;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a salt of 32 hexadecimal digits");
}

}  // namespace

Result<SaltedDigest> SaltedDigest::of(std::string_view secret, const Salt& salt) {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  const int done =
      ::PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()), salt.data(), static_cast<int>(salt.size()),
                          kIterations, ::EVP_sha256(), static_cast<int>(bytes.size()), bytes.data());
  if (done != 1) return fail(Errc::io, "OpenSSL cannot make the digest of a secret");
  return SaltedDigest{salt, Digest(bytes)};
}

Json to_json(const SaltedDigest& digest) {
  return {{"algorithm", kDerivation},
          {"iterations", SaltedDigest::kIterations},
          {"salt", hex(digest.salt)},
          {"digest", digest.digest.hex()}};
}

Result<SaltedDigest> salted_digest_from(const Json& json) {
  Fields fields(json, "the digest of a secret");
  if (fields.text("algorithm") != kDerivation) fields.note("algorithm", "is not " + std::string(kDerivation));
  static_cast<void>(fields.integer("iterations", SaltedDigest::kIterations, SaltedDigest::kIterations));
  const auto salt = fields.parsed("salt", parse_salt);
  const auto digest = fields.parsed("digest", Digest::parse);
  TRY(fields.finish());
  return SaltedDigest{*salt, *digest};
}

}  // namespace trainyard
