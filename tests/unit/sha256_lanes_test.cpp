// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256_lanes.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "storage/values/sha256.hpp"

namespace trainyard::sha256_lanes_test {

// The plain hash is the oracle.
TEST_CASE("a whole and its parts have the digests that the plain hash finds", "[sha256]") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same bytes every time
  for (const std::size_t longest : {std::size_t{1}, std::size_t{63}, std::size_t{200}, std::size_t{70'000}}) {
    for (int round = 0; round < 40; ++round) {
      PartwiseSha256 hash;
      std::string whole;
      for (int part = 0; part < 20; ++part) {
        std::string bytes(random() % (longest + 1), '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        REQUIRE(hash.part(bytes) == sha256(bytes));
        whole += bytes;
      }
      REQUIRE(hash.whole() == sha256(whole));
    }
  }
}

TEST_CASE("several texts have the digests that the plain hash finds", "[sha256]") {
  std::mt19937 random(8);  // NOLINT(cert-msc51-cpp): the same bytes every time
  CHECK(sha256_each({}).empty());
  for (const std::size_t longest :
       {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{300}, std::size_t{9'000}}) {
    for (int round = 0; round < 60; ++round) {
      std::vector<std::string> texts(random() % 9);
      std::vector<Digest> expected;
      for (std::string& text : texts) {
        text.resize(random() % (longest + 1));
        for (char& byte : text) byte = static_cast<char>(random());
        expected.push_back(sha256(text));
      }
      REQUIRE(sha256_each(std::vector<std::string_view>(texts.begin(), texts.end())) == expected);
    }
  }
}

TEST_CASE("a whole longer than 512 MiB keeps counting its bits", "[sha256]") {
  const std::string part(std::size_t{64} << 20U, 'x');
  PartwiseSha256 hash;
  Sha256 plain;
  for (int i = 0; i < 9; ++i) {
    static_cast<void>(hash.part(part));
    plain.update(part);
  }
  CHECK(hash.whole() == plain.finish());
}

TEST_CASE("a whole without parts is the empty one", "[sha256]") { CHECK(PartwiseSha256().whole() == sha256("")); }

}  // namespace trainyard::sha256_lanes_test
