// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "storage/values/result.hpp"

// What people write for times and sizes. `option` names the option in errors.
namespace trainyard {

// "90s", "1.5h", "2d", "200ms", or seconds without a unit; in milliseconds.
Result<std::int64_t> parse_duration(const std::string& option, const std::string& text);
// "512M", "1.5G", or bytes without a unit; units are powers of 1024.
Result<std::int64_t> parse_size(const std::string& option, const std::string& text);

// A whole number from `least` to `most`.
Result<std::int64_t> parse_whole(const std::string& option, const std::string& text, std::int64_t least,
                                 std::int64_t most);
// The same for what fits an int.
Result<int> parse_small(const std::string& option, const std::string& text, int least, int most);
// "1.5" processors, in thousandths.
Result<std::int64_t> parse_cpus(const std::string& option, const std::string& text);

}  // namespace trainyard
