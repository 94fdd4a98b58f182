// SPDX-License-Identifier: Apache-2.0
#include "storage/values/salted_digest.hpp"

#include <catch2/catch.hpp>

namespace trainyard::salted_digest_test {

TEST_CASE("a secret's digest is PBKDF2 with HMAC-SHA-256", "[salted_digest]") {
  SaltedDigest::Salt salt{};
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::uint8_t>(i);
  const SaltedDigest digest = SaltedDigest::of("correct horse", salt).value();
  // hashlib.pbkdf2_hmac("sha256", b"correct horse", bytes(range(16)), 600000)
  CHECK(digest.digest.hex() == "96a5904c2e08c8da42305dbcc5d7cf18ead2636d49f59526b606f26696281473");
  CHECK(to_json(digest).at("salt") == "000102030405060708090a0b0c0d0e0f");
  CHECK(salted_digest_from(to_json(digest)).value() == digest);
  for (const auto& [key, value] : {std::pair<const char*, Json>{"salt", "00"},
                                   {"salt", "zz0102030405060708090a0b0c0d0e0f"},
                                   {"iterations", 1},
                                   {"algorithm", "md5"},
                                   {"digest", ""}}) {
    CAPTURE(key, value);
    Json wrong = to_json(digest);
    wrong[key] = value;
    CHECK_FALSE(salted_digest_from(wrong).ok());
  }
}

}  // namespace trainyard::salted_digest_test
