// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "storage/http/http_client.hpp"

namespace trainyard {

struct RetryPolicy {
  int attempts = 6;
  std::chrono::milliseconds first{250};       // at most, before the second attempt; twice that before the third …
  std::chrono::milliseconds longest{15'000};  // at most, before any
  std::chrono::milliseconds longest_asked{60'000};  // that a server may ask for by Retry-After
};

// How long to wait before attempt `next` (2, 3 …) when the one before ended like this; none when there should be no other.
// `chance` is from [0, 1): many clients that failed together come back apart. A Retry-After in seconds is the least; one
// that is a date counts for nothing.
std::optional<std::chrono::milliseconds> pause_before(int next, const RetryPolicy& policy,
                                                      const Result<HttpAnswer>& last, double chance);

// Sends again what may work later: errors that are `unavailable` and the statuses 408, 429, 500, 502, 503 and 504. Not
// after a sink was given bytes, because only the caller can go on from there. What the last attempt yields is passed on as
// it is. A wait ends soon after `cancelled` says so. `to` outlives it.
std::unique_ptr<HttpClient> retrying(HttpClient& to, RetryPolicy policy = {}, HttpOptions options = {});

}  // namespace trainyard
