// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/poll_until.hpp"

#include <algorithm>
#include <cerrno>

namespace trainyard {

SteadyTime after(std::chrono::milliseconds wait) { return std::chrono::steady_clock::now() + wait; }

bool poll_until(std::span<pollfd> descriptors, std::optional<SteadyTime> deadline) {
  using std::chrono::nanoseconds;
  for (pollfd& descriptor : descriptors) descriptor.revents = 0;
  for (;;) {
    timespec left{};
    if (deadline) {
      const auto wait = std::max(nanoseconds(0), nanoseconds(*deadline - std::chrono::steady_clock::now()));
      left.tv_sec = static_cast<time_t>(wait.count() / 1'000'000'000);
      left.tv_nsec = static_cast<long>(wait.count() % 1'000'000'000);
    }
    const int ready = ::ppoll(descriptors.data(), descriptors.size(), deadline ? &left : nullptr, nullptr);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

}  // namespace trainyard
