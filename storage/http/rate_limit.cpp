// SPDX-License-Identifier: Apache-2.0
#include "storage/http/rate_limit.hpp"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

namespace trainyard {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kBurst = std::chrono::milliseconds(100);

}  // namespace

RateClock RateClock::steady() {
  return {[] { return nanoseconds(std::chrono::steady_clock::now().time_since_epoch()); },
          [](nanoseconds pause) { std::this_thread::sleep_for(pause); }};
}

RateLimit::RateLimit(std::optional<std::uint64_t> bytes_per_second, RateClock clock)
    : bytes_per_second_(bytes_per_second), clock_(std::move(clock)) {}

void RateLimit::wait(std::uint64_t bytes) {
  if (!bytes_per_second_) return;
  const nanoseconds costs(
      static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(*bytes_per_second_)));
  nanoseconds pause{0};
  {
    const std::lock_guard lock(mutex_);
    const nanoseconds now = clock_.now();
    paid_until_ = std::max(paid_until_, now - kBurst) + costs;
    pause = paid_until_ - now;
  }
  if (pause > nanoseconds(0)) clock_.sleep(pause);
}

std::size_t RateLimit::piece() const {
  if (!bytes_per_second_) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, *bytes_per_second_ / 10));
}

HttpBody RateLimit::limited(HttpBody body) {
  if (!bytes_per_second_) return body;
  return {body.bytes,
          [this, read = std::move(body.read)](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
            const std::size_t copied = TRY(read(offset, into.first(std::min(into.size(), piece()))));
            wait(copied);
            return copied;
          }};
}

RateLimit::Sink RateLimit::limited(Sink sink) {
  if (!bytes_per_second_) return sink;
  return [this, sink = std::move(sink)](std::string_view bytes) -> Result<void> {
    wait(bytes.size());
    return sink(bytes);
  };
}

}  // namespace trainyard
