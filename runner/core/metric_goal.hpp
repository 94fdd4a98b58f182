// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// Which of two values of a metric is the better one.
enum class Goal { max, min };
std::string_view name_of(Goal goal);
Result<Goal> parse_goal(std::string_view text);

// Whether less of a metric of this name is better, which only its name tells.
bool less_is_better(std::string_view metric);

}  // namespace trainyard
