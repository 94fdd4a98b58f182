// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <span>

namespace trainyard {

using SteadyTime = std::chrono::steady_clock::time_point;

// The moment that is `wait` from now.
SteadyTime after(std::chrono::milliseconds wait);

// poll(2) until a descriptor is ready or the deadline has come (none: for ever), through interruptions by signals. True
// when at least one is ready; then `revents` says which. Entries with a negative descriptor are skipped.
bool poll_until(std::span<pollfd> descriptors, std::optional<SteadyTime> deadline);

}  // namespace trainyard
