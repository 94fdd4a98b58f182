// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_template.hpp"

#include <algorithm>

#include "runner/core/documents/argo_container.hpp"
#include "runner/core/documents/argo_script.hpp"
#include "runner/core/documents/argo_text.hpp"
#include "runner/core/run_definition.hpp"

namespace trainyard {

namespace {

// A string of the environment is at most 128 KiB in Linux, and an object somewhat above a megabyte in Kubernetes.
constexpr std::size_t kLongestValue = std::size_t{100} << 10U;
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
// To fetch the image, package and data, and to publish.
constexpr std::int64_t kAroundSeconds = 3600;
// To write the record of a run that was stopped, and to save what it left.
constexpr std::int64_t kRecordSeconds = 60;

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
  Json choices = Json::array();
  for (const ParameterValue& choice : declared->choices) choices.push_back(argo_escaped(text_of(choice)));
  // Argo refuses a value that is not spelt as one of them; a run may have said 1.0 for 1.
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) json["enum"] = std::move(choices);
  return json;
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

// When the cluster ends the run: after it should have ended itself, and has written its record.
void set_times(const RunPlan& plan, const ArgoWish& wish, Json& spec, Json& step) {
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
  if (!wish.sap_ai_core) step["podSpecPatch"] = canonical({{"terminationGracePeriodSeconds", grace + kRecordSeconds}});
}

}  // namespace

Result<Json> argo_template(const RunPlan& plan, const Manifest& manifest, const ArgoWish& wish) {
  TRY(check_argo_wish(wish));
  if (!plan.request.secrets.empty() && wish.secrets.empty())
    return fail(Errc::invalid, "the run has secrets; name the Secret that has them in the cluster with --secrets");
  if (const int workers = plan.request.placement.nodes.value_or(1); workers > 1) {
    return fail(Errc::incompatible, "the run " + plan.name.text() + " has " + std::to_string(workers) +
                                        " workers, and an export for Argo has one container");
  }
  const std::vector<std::string> parameters = parameter_names(plan, manifest);
  TRY(check_sizes(plan, parameters));
  ArgoContainer container = argo_container(plan, parameters, wish);
  const Artifacts artifacts = artifacts_of(plan, wish);
  const std::string type(name_of(plan.request.type));

  Json step = {
      {"name", type}, {"container", std::move(container.json)}, {"outputs", {{"artifacts", outputs_json(plan, wish)}}}};
  if (!artifacts.inputs.empty()) step["inputs"] = {{"artifacts", artifacts.inputs}};
  if (!container.volumes.empty()) step["volumes"] = std::move(container.volumes);
  Json spec = {{"entrypoint", type}};
  if (!parameters.empty()) {
    for (const std::string& name : parameters)
      spec["arguments"]["parameters"].push_back(parameter_json(name, plan, manifest, wish));
  }
  if (!artifacts.arguments.empty()) spec["arguments"]["artifacts"] = artifacts.arguments;
  if (!wish.pull_secret.empty()) spec["imagePullSecrets"] = Json::array({{{"name", wish.pull_secret}}});

  set_times(plan, wish, spec, step);
  if (wish.sap_ai_core) step["metadata"] = {{"labels", {{"ai.sap.com/resourcePlan", wish.sap_ai_core->resource_plan}}}};
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
  static const std::vector<std::string_view> order = [] {
    constexpr std::string_view kKeys =
        "apiVersion kind name metadata spec labels annotations entrypoint activeDeadlineSeconds imagePullSecrets "
        "arguments parameters value default description enum artifacts secretName key path globalName optional archive "
        "s3 podSpecPatch inputs outputs container volumes image command args env resources volumeMounts valueFrom "
        "requests limits templates";
    std::vector<std::string_view> keys;
    for (std::size_t begin = 0; begin < kKeys.size();) {
      const std::size_t end = std::min(kKeys.find(' ', begin), kKeys.size());
      keys.push_back(kKeys.substr(begin, end - begin));
      begin = end + 1;
    }
    return keys;
  }();
  return order;
}

}  // namespace trainyard
