// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_definition.hpp"

#include "storage/values/sha256.hpp"

namespace trainyard {

Digest definition_of(const RunPlan& plan) {
  Json environment = plan.environment;
  for (const char* const kept : {"save_training_data", "save_test_data"}) environment.erase(kept);
  Json secrets = Json::array();
  for (const auto& [name, digest] : plan.secrets) secrets.push_back(name);
  Json parameters = Json::object();
  // As text: a digest is of nothing but integers and strings.
  for (const Parameter& parameter : plan.parameters) {
    parameters[parameter.name] = {{"type", name_of(type_of(parameter.value))}, {"value", text_of(parameter.value)}};
  }
  const RunRequest& request = plan.request;
  Json definition = {{"type", name_of(request.type)},
                     {"package", plan.parent.content.name.folded()},
                     {"tree", plan.parent.content.tree.digest.hex()},
                     {"environment", std::move(environment)},
                     {"parameters", std::move(parameters)},
                     {"secrets", std::move(secrets)},
                     {"python", request.python ? Json(*request.python) : Json(nullptr)},
                     {"dependencies", name_of(request.dependencies)},
                     {"gpus", plan.gpus}};
  // Of several workers, what each of them adds to the whole depends on how many there are.
  if (workers_of(request) > 1) {
    definition["nodes"] = workers_of(request);
    definition["sharding"] = name_of(request.placement.sharding);
  }
  return sha256(canonical(definition));
}

std::string data_text(const Digest& data, const std::optional<Digest>& evaluation) {
  return data.hex() + (evaluation ? " " + evaluation->hex() : "");
}

}  // namespace trainyard
