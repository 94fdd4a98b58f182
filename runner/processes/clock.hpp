// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "storage/values/instant.hpp"

namespace trainyard {

// For what is written down. What is waited for is measured with std::chrono::steady_clock.
inline Instant now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

}  // namespace trainyard
