// SPDX-License-Identifier: Apache-2.0
#include "storage/http/rate_limit.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

namespace trainyard::rate_limit_test {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A clock that stands still but for the sleepers.
struct TestClock {
  nanoseconds now = std::chrono::hours(1);
  RateClock clock() {
    return {[this] { return now; }, [this](nanoseconds pause) { now += pause; }};
  }
};

}  // namespace

TEST_CASE("a limit lets so many bytes pass in a second, after a burst of a tenth of them", "[http]") {
  TestClock time;
  const nanoseconds begin = time.now;
  RateLimit limit(1'000'000, time.clock());
  limit.wait(100'000);
  CHECK(time.now == begin);
  for (int i = 0; i < 100; ++i) limit.wait(10'000);
  CHECK(time.now - begin == std::chrono::seconds(1));
  time.now += std::chrono::hours(1);
  const nanoseconds later = time.now;
  limit.wait(100'000);
  CHECK(time.now == later);
  limit.wait(1'000'000);
  CHECK(time.now - later == std::chrono::seconds(1));
}

TEST_CASE("no limit is no wait", "[http]") {
  TestClock time;
  const nanoseconds begin = time.now;
  RateLimit limit(std::nullopt, time.clock());
  limit.wait(UINT64_MAX);
  CHECK(time.now == begin);
}

TEST_CASE("a limited body goes in small pieces, and all of it goes", "[http]") {
  TestClock time;
  const nanoseconds begin = time.now;
  RateLimit limit(1000, time.clock());
  const std::string bytes(1100, 'x');
  const HttpBody body = limit.limited(HttpBody::of(bytes));
  std::string gone;
  std::vector<char> into(4096);
  while (gone.size() < body.bytes) {
    const auto copied = body.read(gone.size(), into);
    REQUIRE(copied.ok());
    CHECK(*copied <= 100);
    gone.append(into.data(), *copied);
  }
  CHECK(gone == bytes);
  CHECK(time.now - begin == std::chrono::seconds(1));
  CHECK(limit.limited([](std::string_view) -> Result<void> { return {}; })(bytes).ok());
  CHECK(time.now - begin == milliseconds(2100));
}

TEST_CASE("threads share a limit", "[http][threads]") {
  RateLimit limit(1'000'000);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int piece = 0; piece < 10; ++piece) limit.wait(10'000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(250));
}

}  // namespace trainyard::rate_limit_test
