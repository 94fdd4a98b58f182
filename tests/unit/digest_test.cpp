// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256.hpp"

#include <catch2/catch.hpp>
#include <unordered_set>

namespace trainyard::digest_test {
namespace {

const std::string kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

}  // namespace

TEST_CASE("a digest is the SHA-256 of FIPS 180-4", "[digest]") {
  CHECK(sha256("").hex() == kEmpty);
  CHECK(sha256("abc").hex() == kAbc);
  CHECK(sha256(std::string(1'000'000, 'a')).hex() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a running SHA-256 takes pieces and starts anew", "[digest]") {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  CHECK(hash.finish().hex() == kAbc);
  CHECK(hash.finish().hex() == kEmpty);
  hash.update("abc");
  CHECK(hash.finish().hex() == kAbc);
}

TEST_CASE("a digest is read from 64 lowercase digits and nothing else", "[digest]") {
  const auto digest = Digest::parse(kAbc);
  REQUIRE(digest.ok());
  CHECK(digest->hex() == kAbc);
  CHECK(*digest == sha256("abc"));
  for (const std::string& text : {std::string(), kAbc.substr(1), kAbc + "0", "B" + kAbc.substr(1), "g" + kAbc.substr(1),
                                  "0x" + kAbc.substr(2), " " + kAbc.substr(1)}) {
    INFO(text);
    const auto wrong = Digest::parse(text);
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().code == Errc::invalid);
    CHECK(wrong.error().message.find("'" + text + "'") != std::string::npos);
  }
}

TEST_CASE("digests are ordered as their texts are, and can be keys", "[digest]") {
  CHECK(sha256("abc") < sha256(""));
  const std::unordered_set<Digest> set = {sha256("a"), sha256("b"), sha256("a")};
  CHECK(set.size() == 2);
  CHECK(set.count(sha256("b")) == 1);
}

}  // namespace trainyard::digest_test
