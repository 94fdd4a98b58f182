// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

#include "storage/values/instant.hpp"

namespace trainyard {

// For what is written down. What is waited for is measured with std::chrono::steady_clock.
//
// The time of day when the process first asked, and from then on as long after it as has passed, also while the machine
// slept: the times that one process tells are in order and as far apart as they were, whoever sets the clock meanwhile.
inline Instant now() {
  const auto microseconds = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
  };
  static const std::int64_t boot = microseconds(CLOCK_REALTIME) - microseconds(CLOCK_BOOTTIME);
  return {boot + microseconds(CLOCK_BOOTTIME)};
}

}  // namespace trainyard
