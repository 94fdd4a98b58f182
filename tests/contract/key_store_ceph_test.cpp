// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch.hpp>
#include <string>

#include "storage/values/sha256.hpp"
#include "tests/contract/key_store_contract.hpp"
#include "tests/support/ceph_bucket.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::key_store_ceph_test {

namespace {

using key_store_contract::put_and_die;
using key_store_contract::some_bytes;
using key_store_contract::streamed;

std::string refusal(const Result<void>& result, Errc code) {
  REQUIRE_FALSE(result.ok());
  INFO(result.error().message);
  CHECK(result.error().code == code);
  CHECK(result.error().message.find('\n') == std::string::npos);
  CHECK(result.error().message.find("testsecret") == std::string::npos);
  return result.error().message;
}

}  // namespace

TEST_CASE("a bucket of Ceph keeps the promises of a key store", "[ceph]") {
  const auto promise = GENERATE(from_range(key_store_contract::promises()));
  DYNAMIC_SECTION(promise.name) {
    CephBucket bucket;
    promise.keep([&] { return bucket.open(); });
  }
}

TEST_CASE("parts that arrived before a publisher was killed are not sent again", "[ceph]") {
  CephBucket bucket;
  const TempFolder folder;
  const std::size_t part = CephBucket::kSmallParts.bytes;
  std::string bytes = some_bytes(6 * part + 17);
  const Path file = folder.write("file", bytes);
  put_and_die([&] { return bucket.open(); }, "blobs/x", file, bytes, 5 * part);
  const auto keys = bucket.open();
  const Instant later = Instant::parse("9999-01-01T00:00:00.000000Z").value();
  CHECK(keys->unfinished("", later, KeyStore::Unfinished::count).value() == 1);

  // Another file of the same length finds parts of other content there, and sends its own.
  SECTION("of the same file") {
    std::atomic<std::uint64_t> gone{0};
    REQUIRE(keys->put("blobs/x", file, bytes.size(), sha256(bytes), [&](std::uint64_t moved) { gone += moved; }).ok());
    CHECK(gone > 0);
    CHECK(gone <= bytes.size() - 2 * part);
    CHECK((streamed(*keys, "blobs/x") == bytes));
  }
  SECTION("of another file") {
    bytes[part / 2] = static_cast<char>(bytes[part / 2] ^ 1);
    const Path other = folder.write("other", bytes);
    std::atomic<std::uint64_t> gone{0};
    REQUIRE(keys->put("blobs/x", other, bytes.size(), sha256(bytes), [&](std::uint64_t moved) { gone += moved; }).ok());
    CHECK(gone >= part);
    CHECK((streamed(*keys, "blobs/x") == bytes));
  }
  CHECK(keys->unfinished("", later, KeyStore::Unfinished::count).value() == 0);
}

TEST_CASE("a bucket that keeps versions is refused", "[ceph]") {
  CephBucket bucket;
  bucket.keep_versions("Enabled");
  CHECK_THAT(refusal(bucket.open()->probe(), Errc::incompatible), Catch::Contains("versions"));
  bucket.keep_versions("Suspended");
  CHECK_THAT(refusal(bucket.open()->probe(), Errc::incompatible), Catch::Contains("versions"));
}

TEST_CASE("what an S3 server refuses is told in one sentence that says what to do", "[ceph]") {
  CephBucket bucket;
  S3Settings settings = bucket.own_settings();
  const auto size_of = [&](const S3Settings& other) -> Result<void> {
    TRY(bucket.open_as(other)->size("x"));
    return {};
  };
  S3Settings wrong = settings;
  wrong.credentials.secret_access_key = "another";
  CHECK_THAT(refusal(bucket.open_as(wrong)->create("x", "x"), Errc::io), Catch::Contains("AWS_SECRET_ACCESS_KEY"));
  CHECK_THAT(refusal(size_of(wrong), Errc::io), Catch::Contains("AWS_SECRET_ACCESS_KEY"));
  wrong = settings;
  wrong.credentials.access_key_id = "nobody";
  CHECK_THAT(refusal(bucket.open_as(wrong)->create("x", "x"), Errc::io), Catch::Contains("AWS_ACCESS_KEY_ID"));

  const auto curl = curl_http();
  RemoteAddress absent = bucket.address();
  absent.place = "no-such-bucket";
  S3Keys nowhere(absent, settings, *curl, nullptr, CephBucket::now);
  CHECK_THAT(refusal(nowhere.create("x", "x"), Errc::invalid), Catch::Contains("'s3://no-such-bucket'"));
  CHECK_THAT(refusal(nowhere.probe(), Errc::invalid), Catch::Contains("'s3://no-such-bucket'"));
  CHECK_THAT(refusal(nowhere.stream("x", [](std::string_view) -> Result<void> { return {}; }), Errc::invalid),
             Catch::Contains("'s3://no-such-bucket'"));

  S3Keys late(bucket.address(), settings, *curl, nullptr,
              [] { return Instant::parse("2020-01-01T00:00:00.000000Z").value(); });
  CHECK_THAT(refusal(late.create("x", "x"), Errc::io), Catch::Contains("clock") && Catch::Contains("2020-01-01"));
}

TEST_CASE("a rate limits what goes up and what comes down", "[ceph]") {
  CephBucket bucket;
  RateLimit limit(2'000'000);
  const auto keys = bucket.open("", CephBucket::kSmallParts, &limit);
  const std::string bytes = some_bytes(1'000'000);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(keys->create("x", bytes).ok());
  const auto middle = std::chrono::steady_clock::now();
  CHECK((streamed(*keys, "x") == bytes));
  CHECK(middle - begin >= std::chrono::milliseconds(350));
  CHECK(std::chrono::steady_clock::now() - middle >= std::chrono::milliseconds(350));
}

}  // namespace trainyard::key_store_ceph_test
