// SPDX-License-Identifier: Apache-2.0
#include "storage/store/store_config.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSchema = "trainyard.store-config/1";

}  // namespace

Json to_json(const StoreConfig& config) {
  return {{"schema", kSchema}, {"python", config.python ? Json(*config.python) : Json(nullptr)}};
}

Result<StoreConfig> store_config_from(const Json& json) {
  StoreConfig config;
  Fields fields(json, "the store's config.json");
  fields.schema(kSchema);
  config.python = fields.optional_text("python");
  if (config.python && !config.python->starts_with('/'))
    fields.note("python", "is '" + *config.python + "' but must be an absolute path");
  TRY(fields.finish());
  return config;
}

}  // namespace trainyard
