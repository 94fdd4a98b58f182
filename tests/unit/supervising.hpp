// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

// What the tests of the supervisor's parts share.
namespace trainyard {

inline constexpr std::int64_t kMiB = std::int64_t{1} << 20U;

inline void skip(const std::string& why) { WARN("skipped: " << why); }

}  // namespace trainyard
