// SPDX-License-Identifier: Apache-2.0
#include "runner/core/metric_goal.hpp"

#include "storage/values/named_enum.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kGoals[] = {"max", "min"};

}  // namespace

std::string_view name_of(Goal goal) { return kGoals[static_cast<std::size_t>(goal)]; }

Result<Goal> parse_goal(std::string_view text) {
  if (const auto goal = enum_named<Goal>(kGoals, text)) return *goal;
  return fail(Errc::invalid, "'" + std::string(text) + "' is neither max nor min");
}

bool less_is_better(std::string_view metric) {
  const std::string name = folded_case(metric);
  for (const std::string_view part : {"loss", "error", "mse", "mae", "perplexity", "seconds", "latency"})
    if (name.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace trainyard
