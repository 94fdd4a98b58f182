// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "storage/http/http_client.hpp"

namespace trainyard {

// How a limit knows the time and lets it pass.
struct RateClock {
  std::function<std::chrono::nanoseconds()> now;
  std::function<void(std::chrono::nanoseconds)> sleep;
  static RateClock steady();
};

// So many bytes a second for everybody who shares it, in the order in which they ask; after a rest, a tenth of a second's
// bytes go at once. Thread-safe.
class RateLimit {
 public:
  // None: unlimited. REQUIRES: at least one.
  explicit RateLimit(std::optional<std::uint64_t> bytes_per_second = std::nullopt,
                     RateClock clock = RateClock::steady());

  // Returns when these bytes may go, or others may come.
  void wait(std::uint64_t bytes);
  // What goes at once, for those who can choose.
  [[nodiscard]] std::size_t piece() const;

  // The same, kept to the limit. The limit outlives them.
  HttpBody limited(HttpBody body);
  using Sink = std::function<Result<void>(std::string_view piece)>;
  Sink limited(Sink sink);

 private:
  const std::optional<std::uint64_t> bytes_per_second_;
  const RateClock clock_;
  std::mutex mutex_;
  std::chrono::nanoseconds paid_until_{0};  // when all bytes so far have had their time; guarded by mutex_
};

}  // namespace trainyard
