// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "storage/values/json.hpp"
#include "storage/values/resource_plan.hpp"

namespace trainyard {

// What somebody decided for all commands that use a store: the file config.json in it. Schema:
// schemas/store-config.schema.json. What is none is as if nobody had decided.
struct StoreConfig {
  std::optional<std::string> python;   // the interpreter of Python packages, as an absolute path
  std::optional<std::uint32_t> slots;  // how many runs without a GPU may run at once
  std::optional<std::uint32_t> gpus;   // how many of the machine's GPUs runs may use

  std::optional<std::string> openlineage;  // who gets the events of runs: runner/core/event_target.hpp

  std::optional<ExecutorKind> executor;       // where runs run that do not say so themselves
  std::map<std::string, ResourcePlan> plans;  // by their names

  static constexpr std::uint32_t kMostSlots = 10'000;

  friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

inline constexpr const char* kDefaultPython = "/usr/bin/python3";

Json to_json(const StoreConfig& config);
Result<StoreConfig> store_config_from(const Json& json);

}  // namespace trainyard
