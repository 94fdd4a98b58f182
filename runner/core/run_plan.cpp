// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_plan.hpp"

#include <algorithm>
#include <array>

#include "runner/core/ranks.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPlanSchema = "trainyard.plan/1";

// Set by Trainyard itself for every run; a user who gives one would be misled about where the data is.
constexpr std::array<std::string_view, 6> kReserved = {
    "data_directory", "checkpoint_directory", "PATH", "CUDA_VISIBLE_DEVICES", "TRAINYARD_EVENTS", "TRAINYARD_SECRETS"};

// The variables that move a folder or ask for a snapshot, for the types of runs that have them.
constexpr std::array<std::string_view, 7> kOfTheRun = {
    "training_data_directory", "test_data_directory", "evaluation_data_directory",
    "artifacts_directory",     "save_training_data",  "save_data",
    "save_test_data"};

bool is_reserved(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
         std::find(kRankVariables.begin(), kRankVariables.end(), name) != kRankVariables.end();
}

Result<RelPath> folder_variable(const RunRequest& request, const std::string& name, const char* otherwise) {
  const auto given = request.environment.find(name);
  auto path = RelPath::parse(given == request.environment.end() ? std::string_view(otherwise)
                                                                : std::string_view(given->second));
  if (!path.ok()) return within("the variable " + name, path.error());
  return path;
}

// A type of run in which the folder would mean nothing, or something else, does not let it be moved.
Result<void> refuse_folders_that_stay(const RunRequest& request) {
  const auto refuse = [&](const char* name, const char* why) -> Result<void> {
    if (!request.environment.contains(name)) return {};
    return fail(Errc::invalid, "the variable " + std::string(name) + " cannot be given: " + why);
  };
  for (const char* const name : {"training_data_directory", "test_data_directory", "evaluation_data_directory"}) {
    const bool training = std::string_view(name) == "training_data_directory";
    if (request.type == RunType::full)
      TRY(refuse(name, "a full run keeps the parts of its data in 'dataset/training' and 'dataset/test'"));
    if (training && !trains(request.type)) TRY(refuse(name, "an evaluation has no training data"));
    if (!training && !evaluates(request.type)) TRY(refuse(name, "a training run has no test data"));
  }
  return {};
}

Result<void> require_apart(const char* name, const RelPath& folder, const RelPath& artifacts) {
  if (!artifacts.is_within(folder) && !folder.is_within(artifacts)) return {};
  return fail(Errc::invalid, "the variables artifacts_directory and " + std::string(name) +
                                 " name folders inside one another: '" + artifacts.text() + "' and '" + folder.text() +
                                 "'");
}

Result<RunLayout> layout_of(const RunRequest& request) {
  TRY(refuse_folders_that_stay(request));
  auto training_data = TRY(folder_variable(request, "training_data_directory", "dataset/training"));
  const bool other_name = request.environment.contains("evaluation_data_directory");
  const char* const test_name = other_name ? "evaluation_data_directory" : "test_data_directory";
  if (other_name && request.environment.contains("test_data_directory"))
    return fail(Errc::invalid,
                "the variables test_data_directory and evaluation_data_directory are two names of one; give only one");
  auto test_data = TRY(folder_variable(request, test_name, "dataset/test"));
  auto artifacts = TRY(folder_variable(request, "artifacts_directory", "artifacts"));
  const bool full = request.type == RunType::full;
  const RelPath data = full ? TRY(RelPath::parse("dataset")) : trains(request.type) ? training_data : test_data;
  const char* const data_name = full ? "data_directory" : trains(request.type) ? "training_data_directory" : test_name;
  TRY(require_apart(data_name, data, artifacts));
  return RunLayout{data, std::move(training_data), std::move(test_data), std::move(artifacts)};
}

// A snapshot may be asked for by option or by variable.
Result<bool> wants_snapshot(const RunRequest& request, bool wanted, std::initializer_list<const char*> names) {
  for (const char* const name : names) {
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

struct SavedData {
  bool training = false;
  bool test = false;
};

Result<SavedData> saved_data(const RunRequest& request) {
  const bool training = TRY(wants_snapshot(request, request.save_training_data, {"save_training_data", "save_data"}));
  const bool test = TRY(wants_snapshot(request, request.save_test_data, {"save_test_data"}));
  if (training && !trains(request.type)) {
    return fail(Errc::invalid,
                "an evaluation has no training data to keep; give --save-test-data for a snapshot of its data");
  }
  if (test && !evaluates(request.type)) {
    return fail(Errc::invalid,
                "a training run has no test data to keep; give --save-training-data for a snapshot of its data");
  }
  if (test && request.type == RunType::full && !request.evaluation_dataset) {
    return fail(Errc::invalid,
                "a full run without --evaluation-dataset makes its test data of the dataset; give "
                "--save-training-data for a snapshot of that");
  }
  return SavedData{training, test};
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
    if (request.secrets.contains(item.name)) continue;
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
  for (const auto& [key, value] : request.environment) {
    if (is_reserved(key)) {
      return fail(Errc::invalid, "the variable " + key + " is set by Trainyard and cannot be given");
    }
    const bool known = manifest.find(key) != nullptr || manifest.environment.contains(key) ||
                       std::find(kOfTheRun.begin(), kOfTheRun.end(), key) != kOfTheRun.end();
    if (!known && !manifest.custom_hyperparameters) {
      return fail(Errc::invalid, "package '" + manifest.name.text() + "' has no hyperparameter '" + key +
                                     "' and accepts no others" + did_you_mean(key, names_of(manifest)));
    }
  }
  return {};
}

std::vector<Verb> verbs_of(RunType type) {
  switch (type) {
    case RunType::training: return {Verb::train, Verb::save};
    case RunType::evaluation: return {Verb::evaluate};
    case RunType::full: break;
  }
  return {Verb::process_data, Verb::train, Verb::save, Verb::evaluate};
}

Result<void> check_able(const RunRequest& request, const VersionRecord& parent, const Manifest& manifest) {
  const RunType type = request.type;
  const std::string package = parent.content.name.text() + "@" + parent.version.text();
  const char* const what = type == RunType::training     ? "be trained"
                           : type == RunType::evaluation ? "be evaluated"
                                                         : "do a full run";
  for (const Verb verb : verbs_of(type)) {
    if (!parent.content.abi.verbs.contains(verb)) {
      return fail(Errc::incompatible, "package '" + package + "' cannot " + what + " because it has no " +
                                          std::string(name_of(verb)) + "()");
    }
  }
  if (manifest.runtime == Runtime::native && (request.python || request.dependencies != Dependencies::system)) {
    return fail(Errc::invalid,
                "package '" + package + "' is a native package, for which --python and --dependencies mean nothing");
  }
  if (trains(type) && !manifest.training_enabled) {
    return fail(Errc::incompatible,
                "package '" + package + "' cannot be trained because its manifest says training_enabled: false");
  }
  return {};
}

std::string count_of_gpus(std::size_t count) { return std::to_string(count) + (count == 1 ? " GPU" : " GPUs"); }

Result<int> gpus_for(const RunRequest& request, const Manifest& manifest, const Machine& machine) {
  const int gpus = request.gpus.value_or(manifest.requires_gpu ? 1 : 0);
  if (gpus == 0 && manifest.requires_gpu)
    return fail(Errc::invalid, "package '" + manifest.name.text() + "' requires a GPU, so --gpus cannot be 0");
  // What a cluster has, only its scheduler knows.
  const auto all = static_cast<std::size_t>(gpus) * static_cast<std::size_t>(workers_of(request));
  if (runs_in_slurm(request) || all <= machine.gpus.size()) return gpus;
  const std::string who =
      request.gpus ? "the run" : "package '" + manifest.name.text() + "', whose manifest says requires_gpu: true,";
  const std::string for_each =
      workers_of(request) > 1 ? " for its " + std::to_string(workers_of(request)) + " workers together" : "";
  return fail(Errc::incompatible, who + " needs " + count_of_gpus(all) + for_each + ", and runs may use " +
                                      (machine.gpus.empty() ? "none" : std::to_string(machine.gpus.size())) +
                                      " here: " + machine.gpus_searched);
}

// They reach the code as variables alone, so that is what they must be.
Result<void> check_secrets(const RunRequest& request, const Manifest& manifest) {
  for (const std::string& name : request.secrets) {
    const Hyperparameter* const declared = manifest.find(name);
    if (request.environment.contains(name))
      return fail(Errc::invalid, "the variable " + name + " is given as a secret and by --env; give it once");
    if (is_reserved(name) || std::find(kOfTheRun.begin(), kOfTheRun.end(), name) != kOfTheRun.end())
      return fail(Errc::invalid, "the variable " + name + " has a meaning of its own and cannot be a secret");
    if (declared != nullptr &&
        (declared->type != ParameterType::text || !declared->editable || !declared->choices.empty()))
      return fail(Errc::invalid, "hyperparameter '" + name + "' cannot be a secret: it is not any text");
    if (declared == nullptr && !manifest.environment.contains(name) && !manifest.custom_hyperparameters) {
      return fail(Errc::invalid, "package '" + manifest.name.text() + "' has no hyperparameter '" + name +
                                     "' and accepts no others" + did_you_mean(name, names_of(manifest)));
    }
  }
  return {};
}

Result<std::map<std::string, SaltedDigest>> secret_digests_from(const Json& json) {
  std::map<std::string, SaltedDigest> secrets;
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  for (const auto& [name, digest] : json.items()) {
    auto read = TRY(salted_digest_from(digest));
    secrets.emplace(name, std::move(read));
  }
  return secrets;
}

}  // namespace

bool trains(RunType type) { return type != RunType::evaluation; }

bool evaluates(RunType type) { return type != RunType::training; }

Result<RunPlan> plan_run(const RunRequest& request, const RunData& data, const VersionRecord& parent,
                         const Manifest& manifest, const Machine& machine, const RunId& run, Instant now) {
  TRY(check_able(request, parent, manifest));
  TRY(check_placement(request));
  const int gpus = TRY(gpus_for(request, manifest, machine));
  TRY(check_undeclared(request, manifest));
  TRY(check_secrets(request, manifest));
  auto layout = TRY(layout_of(request));
  const SavedData saved = TRY(saved_data(request));
  auto parameters = TRY(typed_parameters(request, manifest));
  RunPlan plan{run,
               request.name ? *request.name : RunName::made_up(parent.content.name, run),
               now,
               request,
               data.data,
               data.evaluation,
               parent,
               manifest.library,
               std::move(layout),
               saved.training,
               saved.test,
               manifest.environment,
               std::move(parameters),
               manifest.metrics,
               gpus,
               {}};
  for (const Parameter& parameter : plan.parameters) plan.environment[parameter.name] = text_of(parameter.value);
  for (const auto& [key, value] : request.environment) plan.environment[key] = value;
  for (const std::string& name : request.secrets) plan.environment.erase(name);
  plan.environment.erase("save_data");
  plan.environment["artifacts_directory"] = plan.layout.artifacts.text();
  if (trains(request.type)) plan.environment["save_training_data"] = plan.save_training_data ? "true" : "false";
  if (evaluates(request.type)) plan.environment["save_test_data"] = plan.save_test_data ? "true" : "false";
  return plan;
}

Json to_json(const RunPlan& plan) {
  Json secrets = Json::object();
  for (const auto& [name, digest] : plan.secrets) secrets[name] = to_json(digest);
  return {{"schema", kPlanSchema},
          {"run", plan.run.text()},
          {"name", plan.name.text()},
          {"created_at", plan.created_at.text()},
          {"request", to_json(plan.request)},
          {"data", to_json(plan.data)},
          {"evaluation_data", plan.evaluation_data ? to_json(*plan.evaluation_data) : Json(nullptr)},
          {"parent", to_json(plan.parent)},
          {"library", plan.library ? Json(plan.library->text()) : Json(nullptr)},
          {"data_directory", plan.layout.data.text()},
          {"training_data", plan.layout.training_data.text()},
          {"test_data", plan.layout.test_data.text()},
          {"artifacts", plan.layout.artifacts.text()},
          {"save_training_data", plan.save_training_data},
          {"save_test_data", plan.save_test_data},
          {"environment", plan.environment},
          {"parameters", to_json(plan.parameters)},
          {"metrics", to_json(plan.metrics)},
          {"gpus", plan.gpus},
          {"secrets", std::move(secrets)}};
}

Result<RunPlan> run_plan_from(const Json& json) {
  Fields fields(json, "the run plan");
  fields.schema(kPlanSchema);
  const auto run = fields.parsed("run", RunId::parse);
  const auto name = fields.parsed("name", RunName::parse);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  const auto request = fields.nested("request", run_request_from);
  const auto data = fields.nested("data", data_source_from);
  std::optional<DataSource> evaluation_data;
  if (fields.nullable("evaluation_data") != nullptr)
    evaluation_data = fields.nested("evaluation_data", data_source_from);
  const auto parent = fields.nested("parent", version_record_from);
  const auto library = fields.parsed_or_null("library", RelPath::from_text);
  const auto data_directory = fields.parsed("data_directory", RelPath::from_text);
  const auto training_data = fields.parsed("training_data", RelPath::from_text);
  const auto test_data = fields.parsed("test_data", RelPath::from_text);
  const auto artifacts = fields.parsed("artifacts", RelPath::from_text);
  const bool save_training_data = fields.boolean("save_training_data");
  const bool save_test_data = fields.boolean("save_test_data");
  const Json& environment = fields.object("environment");
  const auto parameters = fields.nested("parameters", parameters_from);
  auto metrics = fields.nested("metrics", metric_patterns_from);
  const int gpus = fields.has("gpus") ? static_cast<int>(fields.integer("gpus", 0, RunRequest::kMostGpus)) : 0;
  std::optional<std::map<std::string, SaltedDigest>> secrets{std::in_place};
  if (fields.has("secrets")) secrets = fields.nested("secrets", secret_digests_from);
  TRY(fields.finish());
  RunPlan plan{*run,
               *name,
               *created_at,
               *request,
               *data,
               std::move(evaluation_data),
               *parent,
               library,
               {*data_directory, *training_data, *test_data, *artifacts},
               save_training_data,
               save_test_data,
               {},
               *parameters,
               std::move(*metrics),
               gpus,
               std::move(*secrets)};
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
  if (path.name() == "__pycache__" || path.is_within(layout.artifacts) || path.is_within(layout.data)) return false;
  // The default layout keeps the input and what is made of it below one folder, which goes as a whole.
  return !(top(layout.data) == "dataset" && top(path) == "dataset");
}

}  // namespace trainyard
