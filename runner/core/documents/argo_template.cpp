// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_template.hpp"

#include <algorithm>

#include "runner/core/documents/argo_script.hpp"
#include "runner/core/documents/argo_text.hpp"
#include "runner/core/run_definition.hpp"

namespace trainyard {

namespace {

// A string of the environment is at most 128 KiB in Linux, and an object somewhat above a megabyte in Kubernetes.
constexpr std::size_t kLongestValue = std::size_t{100} << 10U;
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;
// For Trainyard itself beside the package.
constexpr std::int64_t kOwnMemory = 256 * kMebibyte;
// To fetch the image, package and data, and to publish.
constexpr std::int64_t kAroundSeconds = 3600;
// To write the record of a run that was stopped, and to save what it left.
constexpr std::int64_t kRecordSeconds = 60;

constexpr const char* kVolumeOfRemote = "remote";
constexpr const char* kVolumeOfLogin = "registry-login";

std::int64_t seconds_of(std::int64_t milliseconds) { return (milliseconds + 999) / 1000; }

// The variables that the run takes by options of their own.
bool is_option(const std::string& name) {
  return name == "save_training_data" || name == "save_test_data" || name == "save_data";
}

// What becomes a parameter: the declared hyperparameters that a run may set and that had a value, then what was typed
// beside them.
std::vector<std::string> parameter_names(const RunPlan& plan, const Manifest& manifest) {
  std::vector<std::string> names;
  for (const Hyperparameter& item : manifest.hyperparameters) {
    if (item.editable && plan.environment.contains(item.name)) names.push_back(item.name);
  }
  for (const auto& [name, value] : plan.request.environment) {
    if (manifest.find(name) == nullptr && !is_option(name)) names.push_back(name);
  }
  return names;
}

Json parameter_json(const std::string& name, const RunPlan& plan, const Manifest& manifest, const ArgoWish& wish) {
  const std::string value = argo_escaped(plan.environment.at(name));
  // SAP AI Core reads what a configuration may leave out from the other key.
  Json json = {{"name", name}, {wish.sap_ai_core ? "default" : "value", value}};
  const Hyperparameter* const declared = manifest.find(name);
  if (declared == nullptr) return json;
  if (!declared->description.empty()) json["description"] = argo_prose(declared->description);
  for (const ParameterValue& choice : declared->choices) json["enum"].push_back(argo_escaped(text_of(choice)));
  return json;
}

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

struct Artifacts {
  Json inputs = Json::array();
  Json arguments = Json::array();  // where they lie, of those that the export knows
};

void add_input(const char* name, const ArgoData& data, const char* path, Artifacts& artifacts) {
  if (data.kind != ArgoData::Kind::artifact) return;
  artifacts.inputs.push_back({{"name", name}, {"path", path}});
  if (!data.key.empty()) artifacts.arguments.push_back({{"name", name}, {"s3", {{"key", data.key}}}});
}

Artifacts artifacts_of(const RunPlan& plan, const ArgoWish& wish) {
  Artifacts artifacts;
  add_input("data", wish.data, kArgoData, artifacts);
  if (plan.evaluation_data) add_input("evaluation-data", wish.evaluation_data, kArgoEvaluationData, artifacts);
  return artifacts;
}

Json outputs_json(const RunPlan& plan, const ArgoWish& wish) {
  const std::string work = kArgoWork;
  Json outputs = Json::array();
  const auto add = [&](const char* name, const std::string& path, bool as_it_is) {
    Json output = {{"name", name}, {"path", path}, {"globalName", name}, {"optional", true}};
    if (as_it_is) output["archive"] = {{"none", Json::object()}};
    outputs.push_back(std::move(output));
  };
  const bool sap = wish.sap_ai_core.has_value();
  add("results", work + "/results/_results.json", true);
  add("artifacts", work + "/artifacts", sap);
  if (trains(plan.request.type)) add("model", work + "/model", sap);
  return outputs;
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

Json container_json(const RunPlan& plan, const ArgoScript& script, Json environment, const Volumes& volumes,
                    const ArgoWish& wish) {
  Json container = {{"image", wish.image},
                    {"command", {"/bin/sh", "-c"}},
                    {"args", Json::array({script.text})},
                    {"env", std::move(environment)}};
  if (!volumes.mounts.empty()) container["volumeMounts"] = volumes.mounts;
  Json resources = resources_json(plan);
  // In SAP AI Core they are the business of the resource plan.
  if (!resources.empty() && !wish.sap_ai_core) container["resources"] = std::move(resources);
  return container;
}

Json metadata_json(const RunPlan& plan, const Manifest& manifest, const ArgoWish& wish) {
  const std::string package = plan.parent.content.name.text() + "@" + plan.parent.version.text();
  Json annotations = {{"trainyard/run", plan.run.text()},
                      {"trainyard/package", package},
                      {"trainyard/package-tree", plan.parent.content.tree.digest.hex()},
                      {"trainyard/definition", definition_of(plan).hex()}};
  if (wish.data_tree) annotations["trainyard/data-tree"] = wish.data_tree->hex();
  Json metadata = {{"name", wish.name}};
  if (wish.sap_ai_core) {
    const std::string type(name_of(plan.request.type));
    annotations["scenarios.ai.sap.com/name"] = wish.sap_ai_core->scenario;
    if (!manifest.description.empty())
      annotations["scenarios.ai.sap.com/description"] = argo_prose(manifest.description);
    annotations["executables.ai.sap.com/name"] = wish.name;
    annotations["executables.ai.sap.com/description"] = "Trainyard: " + type + " run on " + package;
    if (wish.data.kind == ArgoData::Kind::artifact) annotations["artifacts.ai.sap.com/data.kind"] = "dataset";
    if (plan.evaluation_data && wish.evaluation_data.kind == ArgoData::Kind::artifact)
      annotations["artifacts.ai.sap.com/evaluation-data.kind"] = "dataset";
    annotations["artifacts.ai.sap.com/results.kind"] = "resultset";
    annotations["artifacts.ai.sap.com/artifacts.kind"] = "other";
    if (trains(plan.request.type)) annotations["artifacts.ai.sap.com/model.kind"] = "model";
    metadata["labels"] = {{"scenarios.ai.sap.com/id", wish.sap_ai_core->scenario},
                          {"executables.ai.sap.com/id", wish.name},
                          {"ai.sap.com/version", plan.parent.version.text()}};
  }
  metadata["annotations"] = std::move(annotations);
  return metadata;
}

Result<void> check_sizes(const RunPlan& plan, const std::vector<std::string>& parameters) {
  for (const std::string& name : parameters) {
    if (argo_escaped(plan.environment.at(name)).size() <= kLongestValue) continue;
    return fail(Errc::incompatible,
                "the variable " + name + " has more than 100 KiB, which is more than a container's environment takes");
  }
  return {};
}

}  // namespace

Result<Json> argo_template(const RunPlan& plan, const Manifest& manifest, const ArgoWish& wish) {
  TRY(check_argo_wish(wish));
  if (!plan.request.secrets.empty() && wish.secrets.empty())
    return fail(Errc::invalid, "the run has secrets; name the Secret that has them in the cluster with --secrets");
  const std::vector<std::string> parameters = parameter_names(plan, manifest);
  TRY(check_sizes(plan, parameters));
  const ArgoScript script = argo_script(plan, parameters, wish);
  const Volumes volumes = volumes_of(plan, wish);
  const Artifacts artifacts = artifacts_of(plan, wish);
  const std::string type(name_of(plan.request.type));

  Json step = {
      {"name", type},
      {"container", container_json(plan, script, environment_json(plan, parameters, script, wish), volumes, wish)},
      {"outputs", {{"artifacts", outputs_json(plan, wish)}}}};
  if (!artifacts.inputs.empty()) step["inputs"] = {{"artifacts", artifacts.inputs}};
  if (!volumes.volumes.empty()) step["volumes"] = volumes.volumes;
  Json spec = {{"entrypoint", type}};
  if (!parameters.empty()) {
    for (const std::string& name : parameters)
      spec["arguments"]["parameters"].push_back(parameter_json(name, plan, manifest, wish));
  }
  if (!artifacts.arguments.empty()) spec["arguments"]["artifacts"] = artifacts.arguments;
  if (!wish.pull_secret.empty()) spec["imagePullSecrets"] = Json::array({{{"name", wish.pull_secret}}});

  const RunRequest& request = plan.request;
  const std::int64_t grace = seconds_of(request.grace_ms);
  if (request.max_runtime_ms) {
    // Above the run's own, which ends it with a record. SAP asks for it where it counts from the workflow's start.
    const std::int64_t deadline = seconds_of(*request.max_runtime_ms) + grace + kAroundSeconds;
    if (wish.sap_ai_core) {
      spec["activeDeadlineSeconds"] = deadline;
    } else {
      step["activeDeadlineSeconds"] = std::to_string(deadline);  // here Argo's schema wants a text
    }
  }
  if (wish.sap_ai_core) {
    step["metadata"] = {{"labels", {{"ai.sap.com/resourcePlan", wish.sap_ai_core->resource_plan}}}};
  } else {
    step["podSpecPatch"] = canonical({{"terminationGracePeriodSeconds", grace + kRecordSeconds}});
  }
  spec["templates"] = Json::array({std::move(step)});
  Json json = {{"apiVersion", "argoproj.io/v1alpha1"},
               {"kind", "WorkflowTemplate"},
               {"metadata", metadata_json(plan, manifest, wish)},
               {"spec", std::move(spec)}};
  if (canonical(json).size() > kMostBytes) {
    return fail(Errc::incompatible, "the variables of the run " + plan.name.text() +
                                        " make more than a megabyte, which is more than Kubernetes takes");
  }
  return json;
}

const std::vector<std::string_view>& argo_key_order() {
  static const std::vector<std::string_view> order = {"apiVersion",
                                                      "kind",
                                                      "name",
                                                      "metadata",
                                                      "spec",
                                                      "labels",
                                                      "annotations",
                                                      "entrypoint",
                                                      "activeDeadlineSeconds",
                                                      "imagePullSecrets",
                                                      "arguments",
                                                      "parameters",
                                                      "value",
                                                      "default",
                                                      "description",
                                                      "enum",
                                                      "artifacts",
                                                      "secretName",
                                                      "key",
                                                      "path",
                                                      "globalName",
                                                      "optional",
                                                      "archive",
                                                      "s3",
                                                      "podSpecPatch",
                                                      "inputs",
                                                      "outputs",
                                                      "container",
                                                      "volumes",
                                                      "image",
                                                      "command",
                                                      "args",
                                                      "env",
                                                      "resources",
                                                      "volumeMounts",
                                                      "valueFrom",
                                                      "requests",
                                                      "limits",
                                                      "templates"};
  return order;
}

}  // namespace trainyard
