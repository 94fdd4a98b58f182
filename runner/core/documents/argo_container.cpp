// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_container.hpp"

#include "runner/core/documents/argo_script.hpp"

namespace trainyard {

namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;
// For Trainyard itself beside the package.
constexpr std::int64_t kOwnMemory = 256 * kMebibyte;

constexpr const char* kVolumeOfRemote = "remote";
constexpr const char* kVolumeOfLogin = "registry-login";

Json secret_variable(const std::string& name, const std::string& object, const std::string& key, bool optional) {
  Json reference = {{"name", object}, {"key", key}};
  if (optional) reference["optional"] = true;
  return {{"name", name}, {"valueFrom", {{"secretKeyRef", std::move(reference)}}}};
}

// Those with people's text first: Kubernetes puts only earlier variables into later ones, so that no text can ask for a
// secret.
Json environment_json(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoScript& script,
                      const ArgoWish& wish) {
  Json variables = Json::array();
  for (const std::string& name : parameters)
    variables.push_back({{"name", argo_value_variable(name)}, {"value", "{{workflow.parameters." + name + "}}"}});
  for (const ArgoVariable& variable : script.variables)
    variables.push_back({{"name", variable.name}, {"value", variable.value}});
  if (!wish.registry_secret.empty())
    variables.push_back({{"name", "REGISTRY_AUTH_FILE"}, {"value", std::string(kArgoRegistryLogin) + "/config.json"}});
  if (!wish.aws_secret.empty()) {
    for (const char* const name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
      variables.push_back(secret_variable(name, wish.aws_secret, name, false));
    for (const char* const name : {"AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL_S3"})
      variables.push_back(secret_variable(name, wish.aws_secret, name, true));
  }
  for (const std::string& name : plan.request.secrets)
    variables.push_back(secret_variable(argo_secret_variable(name), wish.secrets, name, false));
  return variables;
}

struct Volumes {
  Json volumes = Json::array();
  Json mounts = Json::array();
};

void add_claim(const char* name, const ArgoClaim& claim, const std::string& path, bool writable, Volumes& volumes) {
  Json source = {{"claimName", claim.name}};
  if (!writable) source["readOnly"] = true;
  volumes.volumes.push_back({{"name", name}, {"persistentVolumeClaim", std::move(source)}});
  Json mount = {{"name", name}, {"mountPath", path}};
  if (!writable) mount["readOnly"] = true;
  volumes.mounts.push_back(std::move(mount));
}

Volumes volumes_of(const RunPlan& plan, const ArgoWish& wish) {
  Volumes volumes;
  const ArgoRemote& remote = wish.remote;
  if (remote.claim) {
    const bool writable = remote.use == ArgoRemote::Use::publish && trains(plan.request.type);
    add_claim(kVolumeOfRemote, *remote.claim, remote.folder, writable, volumes);
    if (!remote.claim->path.empty()) volumes.mounts.back()["subPath"] = remote.claim->path;
  }
  if (wish.data.kind == ArgoData::Kind::claim) add_claim("data", wish.data.claim, kArgoData, false, volumes);
  if (plan.evaluation_data && wish.evaluation_data.kind == ArgoData::Kind::claim)
    add_claim("evaluation-data", wish.evaluation_data.claim, kArgoEvaluationData, false, volumes);
  if (!wish.registry_secret.empty()) {
    const Json item = {{"key", ".dockerconfigjson"}, {"path", "config.json"}};
    volumes.volumes.push_back(
        {{"name", kVolumeOfLogin}, {"secret", {{"secretName", wish.registry_secret}, {"items", Json::array({item})}}}});
    volumes.mounts.push_back({{"name", kVolumeOfLogin}, {"mountPath", kArgoRegistryLogin}, {"readOnly", true}});
  }
  return volumes;
}

// Kubernetes calls 1500 thousandths of a processor 1500m.
std::string cpu_quantity(std::int64_t thousandths) {
  return thousandths % 1000 == 0 ? std::to_string(thousandths / 1000) : std::to_string(thousandths) + "m";
}

// The most that the container may have, and at once what is put aside for it.
Json resources_json(const RunPlan& plan) {
  const JobLimits& limits = plan.request.limits;
  Json amounts = Json::object();
  if (limits.cpu_thousandths) amounts["cpu"] = cpu_quantity(*limits.cpu_thousandths);
  if (limits.memory_bytes) {
    const std::int64_t all = *limits.memory_bytes + kOwnMemory;
    amounts["memory"] = std::to_string(all / kMebibyte + (all % kMebibyte == 0 ? 0 : 1)) + "Mi";
  }
  if (plan.gpus > 0) amounts["nvidia.com/gpu"] = std::to_string(plan.gpus);
  if (amounts.empty()) return amounts;
  return {{"requests", amounts}, {"limits", amounts}};
}

Json container_json(const RunPlan& plan, const ArgoScript& script, Json environment, const Json& mounts,
                    const ArgoWish& wish) {
  Json container = {{"image", wish.image},
                    {"command", {"/bin/sh", "-c"}},
                    {"args", Json::array({script.text})},
                    {"env", std::move(environment)}};
  if (!mounts.empty()) container["volumeMounts"] = mounts;
  Json resources = resources_json(plan);
  // In SAP AI Core they are the business of the resource plan.
  if (!resources.empty() && !wish.sap_ai_core) container["resources"] = std::move(resources);
  return container;
}

}  // namespace

ArgoContainer argo_container(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoWish& wish) {
  const ArgoScript script = argo_script(plan, parameters, wish);
  Volumes volumes = volumes_of(plan, wish);
  Json environment = environment_json(plan, parameters, script, wish);
  return {container_json(plan, script, std::move(environment), volumes.mounts, wish), std::move(volumes.volumes)};
}

}  // namespace trainyard
