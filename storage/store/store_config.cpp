// SPDX-License-Identifier: Apache-2.0
#include "storage/store/store_config.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kStoreConfigSchema = "trainyard.store-config/1";

Result<std::map<std::string, ResourcePlan>> plans_from(const Json& json) {
  std::map<std::string, ResourcePlan> plans;
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  for (const auto& [name, value] : json.items()) {
    TRY(check_plan_name(name));
    auto plan = resource_plan_from(value);
    if (!plan.ok()) return within("'" + name + "'", plan.error());
    plans.emplace(name, std::move(*plan));
  }
  return plans;
}

}  // namespace

Json to_json(const StoreConfig& config) {
  Json plans = Json::object();
  for (const auto& [name, plan] : config.plans) plans[name] = to_json(plan);
  return {{"schema", kStoreConfigSchema},
          {"python", config.python ? Json(*config.python) : Json(nullptr)},
          {"slots", or_null(config.slots)},
          {"gpus", or_null(config.gpus)},
          {"openlineage", config.openlineage ? Json(*config.openlineage) : Json(nullptr)},
          {"executor", config.executor ? Json(name_of(*config.executor)) : Json(nullptr)},
          {"plans", std::move(plans)}};
}

Result<StoreConfig> store_config_from(const Json& json) {
  StoreConfig config;
  Fields fields(json, "the store's config.json");
  fields.schema(kStoreConfigSchema);
  config.python = fields.optional_text("python");
  if (config.python && !config.python->starts_with('/'))
    fields.note("python", "is '" + *config.python + "' but must be an absolute path");
  const auto number = [&](const char* key, std::uint32_t least) -> std::optional<std::uint32_t> {
    if (!fields.has(key) || fields.nullable(key) == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(fields.integer(key, least, StoreConfig::kMostSlots));
  };
  config.slots = number("slots", 1);
  config.gpus = number("gpus", 0);
  if (fields.has("openlineage")) config.openlineage = fields.optional_text("openlineage");
  const auto begins = [&](const char* scheme) { return config.openlineage->starts_with(scheme); };
  if (config.openlineage && !begins("http://") && !begins("https://") && !begins("file://"))
    fields.note("openlineage", "is '" + *config.openlineage + "' but must be an address of http, https or file");
  if (fields.has("executor")) config.executor = fields.parsed_or_null("executor", parse_executor_kind);
  auto plans = std::optional(std::map<std::string, ResourcePlan>());
  if (fields.has("plans")) plans = fields.nested("plans", plans_from);
  TRY(fields.finish());
  config.plans = std::move(*plans);
  return config;
}

}  // namespace trainyard
