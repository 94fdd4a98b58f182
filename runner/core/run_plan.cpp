// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_plan.hpp"

#include <algorithm>
#include <array>

namespace trainyard {

namespace {

constexpr std::string_view kSchema = "trainyard.plan/1";

// Set by Trainyard itself for every run; a user who gives one would be misled about where the data is.
constexpr std::array<std::string_view, 6> kReserved = {
    "data_directory",       "test_data_directory", "evaluation_data_directory",
    "checkpoint_directory", "save_test_data",      "PATH"};

Result<RelPath> folder_variable(const RunRequest& request, const std::string& name, const char* otherwise) {
  const auto given = request.environment.find(name);
  auto path = RelPath::parse(given == request.environment.end() ? std::string_view(otherwise)
                                                                : std::string_view(given->second));
  if (!path.ok()) return within("the variable " + name, path.error());
  return path;
}

Result<RunLayout> layout_of(const RunRequest& request) {
  auto training_data = TRY(folder_variable(request, "training_data_directory", "dataset/training"));
  auto artifacts = TRY(folder_variable(request, "artifacts_directory", "artifacts"));
  RunLayout layout{std::move(training_data), std::move(artifacts)};
  if (layout.artifacts.is_within(layout.training_data) || layout.training_data.is_within(layout.artifacts)) {
    return fail(Errc::invalid,
                "the variables artifacts_directory and training_data_directory name folders inside one another: '" +
                    layout.artifacts.text() + "' and '" + layout.training_data.text() + "'");
  }
  return layout;
}

// save_training_data may be asked for by option or by variable, and save_data is its other name.
Result<bool> wants_snapshot(const RunRequest& request) {
  bool wanted = request.save_training_data;
  for (const char* const name : {"save_training_data", "save_data"}) {
    const auto given = request.environment.find(name);
    if (given == request.environment.end()) continue;
    const auto value = parse_boolean(given->second);
    if (!value)
      return fail(Errc::invalid,
                  "the variable " + std::string(name) + " is '" + given->second + "' but must be true or false");
    wanted = wanted || *value;
  }
  return wanted;
}

std::vector<std::string> names_of(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const Hyperparameter& item : manifest.hyperparameters) names.push_back(item.name);
  for (const auto& [key, value] : manifest.environment) names.push_back(key);
  return names;
}

Result<std::vector<Parameter>> typed_parameters(const RunRequest& request, const Manifest& manifest) {
  std::vector<Parameter> parameters;
  for (const Hyperparameter& item : manifest.hyperparameters) {
    const auto given = request.environment.find(item.name);
    if (given != request.environment.end()) {
      if (!item.editable) return fail(Errc::invalid, "hyperparameter '" + item.name + "' cannot be changed by a run");
      auto value = TRY(item.accept(given->second));
      parameters.push_back({item.name, std::move(value)});
    } else if (item.default_value) {
      parameters.push_back({item.name, *item.default_value});
    } else if (item.required) {
      return fail(Errc::invalid,
                  "hyperparameter '" + item.name + "' is required; give it with --env " + item.name + "=VALUE");
    }
  }
  return parameters;
}

Result<void> check_undeclared(const RunRequest& request, const Manifest& manifest) {
  static constexpr std::array<std::string_view, 4> kLayoutNames = {"training_data_directory", "artifacts_directory",
                                                                   "save_training_data", "save_data"};
  for (const auto& [key, value] : request.environment) {
    if (std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end()) {
      return fail(Errc::invalid, "the variable " + key + " is set by Trainyard and cannot be given");
    }
    const bool known = manifest.find(key) != nullptr || manifest.environment.contains(key) ||
                       std::find(kLayoutNames.begin(), kLayoutNames.end(), key) != kLayoutNames.end();
    if (!known && !manifest.custom_hyperparameters) {
      return fail(Errc::invalid, "package '" + manifest.name.text() + "' has no hyperparameter '" + key +
                                     "' and accepts no others" + did_you_mean(key, names_of(manifest)));
    }
  }
  return {};
}

Result<void> check_able(const VersionRecord& parent, const Manifest& manifest) {
  const std::string package = parent.content.name.text() + "@" + parent.version.text();
  for (const Verb verb : {Verb::train, Verb::save}) {
    if (!parent.content.abi.verbs.contains(verb)) {
      return fail(Errc::incompatible,
                  "package '" + package + "' cannot be trained because it has no " + std::string(name_of(verb)) + "()");
    }
  }
  if (!manifest.training_enabled) {
    return fail(Errc::incompatible,
                "package '" + package + "' cannot be trained because its manifest says training_enabled: false");
  }
  if (manifest.requires_gpu) {
    return fail(Errc::incompatible,
                "package '" + package + "' requires a GPU, which this Trainyard cannot give to a run");
  }
  return {};
}

}  // namespace

Result<RunPlan> plan_run(const RunRequest& request, const DataSource& data, const VersionRecord& parent,
                         const Manifest& manifest, const RunId& run, Instant now) {
  TRY(check_able(parent, manifest));
  TRY(check_undeclared(request, manifest));
  auto layout = TRY(layout_of(request));
  const bool save_training_data = TRY(wants_snapshot(request));
  auto parameters = TRY(typed_parameters(request, manifest));
  RunPlan plan{run,
               request.name ? *request.name : RunName::made_up(parent.content.name, run),
               now,
               request,
               data,
               parent,
               manifest.library,
               std::move(layout),
               save_training_data,
               manifest.environment,
               std::move(parameters)};
  for (const Parameter& parameter : plan.parameters) plan.environment[parameter.name] = text_of(parameter.value);
  for (const auto& [key, value] : request.environment) plan.environment[key] = value;
  plan.environment.erase("save_data");
  plan.environment["artifacts_directory"] = plan.layout.artifacts.text();
  plan.environment["save_training_data"] = plan.save_training_data ? "true" : "false";
  return plan;
}

Json to_json(const RunPlan& plan) {
  return {{"schema", kSchema},
          {"run", plan.run.text()},
          {"name", plan.name.text()},
          {"created_at", plan.created_at.text()},
          {"request", to_json(plan.request)},
          {"data", to_json(plan.data)},
          {"parent", to_json(plan.parent)},
          {"library", plan.library.text()},
          {"training_data", plan.layout.training_data.text()},
          {"artifacts", plan.layout.artifacts.text()},
          {"save_training_data", plan.save_training_data},
          {"environment", plan.environment},
          {"parameters", to_json(plan.parameters)}};
}

Result<RunPlan> run_plan_from(const Json& json) {
  Fields fields(json, "the run plan");
  fields.schema(kSchema);
  const auto run = fields.parsed("run", RunId::parse);
  const auto name = fields.parsed("name", RunName::parse);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  const auto request = fields.nested("request", run_request_from);
  const auto data = fields.nested("data", data_source_from);
  const auto parent = fields.nested("parent", version_record_from);
  const auto library = fields.parsed("library", RelPath::from_text);
  const auto training_data = fields.parsed("training_data", RelPath::from_text);
  const auto artifacts = fields.parsed("artifacts", RelPath::from_text);
  const bool save_training_data = fields.boolean("save_training_data");
  const Json& environment = fields.object("environment");
  const auto parameters = fields.nested("parameters", parameters_from);
  TRY(fields.finish());
  RunPlan plan{*run,
               *name,
               *created_at,
               *request,
               *data,
               *parent,
               *library,
               {*training_data, *artifacts},
               save_training_data,
               {},
               *parameters};
  for (const auto& [key, value] : environment.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "the run plan has a variable '" + key + "' that is not a text");
    plan.environment[key] = value.get<std::string>();
  }
  return plan;
}

bool is_package_content(const RunLayout& layout, const RelPath& path) {
  const auto top = [](const RelPath& inner) {
    return std::string_view(inner.bytes()).substr(0, inner.bytes().find('/'));
  };
  if (path.name() == "__pycache__" || path.is_within(layout.artifacts) || path.is_within(layout.training_data))
    return false;
  // The default layout keeps the input and what is made of it below one folder, which goes as a whole.
  return !(top(layout.training_data) == "dataset" && top(path) == "dataset");
}

}  // namespace trainyard
