// SPDX-License-Identifier: Apache-2.0
#include "storage/values/manifest.hpp"

#include <algorithm>
#include <set>

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPackageSchema = "trainyard.package/1";

Result<Manifest::MetricPattern> metric_from(const Json& json) {
  Manifest::MetricPattern pattern;
  Fields fields(json, "a metric of the manifest");
  pattern.name = fields.text("name");
  pattern.regex = fields.text("regex");
  if (!is_metric_name(pattern.name)) fields.note("name", "is not a metric name of 1 to 64 letters, digits, '_' or '-'");
  TRY(fields.finish());
  return pattern;
}

// Optional keys may be left out by an author; the value is then the default that the schema documents.
Json with_defaults(const Json& given) {
  Json full = {{"description", ""},
               {"runtime", "native"},
               {"python", nullptr},
               {"input_type", "json"},
               {"input_description", ""},
               {"output_description", ""},
               {"requires_gpu", false},
               {"training_enabled", true},
               {"hyperparameters", Json::array()},
               {"environment", Json::object()},
               {"metrics", Json::array()},
               {"custom_hyperparameters", true}};
  full.update(given);
  if (full["runtime"] == Json("python") && !full.contains("library")) full["library"] = nullptr;
  if (full["hyperparameters"].is_array()) {
    for (Json& item : full["hyperparameters"]) {
      if (!item.is_object()) continue;
      Json filled = {{"default", nullptr}, {"required", false}, {"editable", true},
                     {"range", nullptr},   {"enum", nullptr},   {"description", ""}};
      filled.update(item);
      item = std::move(filled);
    }
  }
  return full;
}

}  // namespace

Result<Manifest> Manifest::parse(std::string_view text) {
  if (text.size() > limits::kManifestBytes)
    return fail(Errc::invalid, "the manifest package.json is larger than 1 MiB");
  const Json given = TRY(parse_json(text, "the manifest package.json"));
  if (!given.is_object()) return fail(Errc::invalid, "the manifest package.json is not a JSON object");
  const Json json = with_defaults(given);
  Fields fields(json, "the manifest package.json");
  fields.schema(kPackageSchema);
  const auto name = fields.parsed("name", PackageName::parse);
  const std::string description = fields.text("description");
  const auto runtime = fields.parsed("runtime", parse_runtime);
  const auto library = fields.parsed_or_null("library", RelPath::from_text);
  const auto python = fields.optional_text("python");
  if (runtime == Runtime::native && !library) fields.note("library", "is null, but a native package needs one");
  if (runtime == Runtime::native && python) fields.note("python", "is given, which is for Python packages");
  if (runtime == Runtime::python && library) fields.note("library", "is given, which is for native packages");
  if (python && !python->starts_with('/')) fields.note("python", "is '" + *python + "' but must be an absolute path");
  const std::string input_type = fields.text("input_type");
  if (input_type != "json" && input_type != "file" && input_type != "files")
    fields.note("input_type", "is none of 'json', 'file', 'files'");
  const std::string input_description = fields.text("input_description");
  const std::string output_description = fields.text("output_description");
  const bool requires_gpu = fields.boolean("requires_gpu");
  const bool training_enabled = fields.boolean("training_enabled");
  const Json& hyperparameters = fields.array("hyperparameters");
  const bool custom_hyperparameters = fields.boolean("custom_hyperparameters");
  const Json& environment = fields.object("environment");
  const Json& metrics = fields.array("metrics");
  TRY(fields.finish());

  Manifest manifest{*name,
                    description,
                    *runtime,
                    library,
                    python,
                    input_type,
                    input_description,
                    output_description,
                    requires_gpu,
                    training_enabled,
                    {},
                    custom_hyperparameters,
                    {},
                    {}};
  if (hyperparameters.size() > limits::kHyperparameters)
    return fail(Errc::invalid, "the manifest package.json declares more than 1000 hyperparameters");
  std::set<std::string> seen;
  for (const Json& item : hyperparameters) {
    auto parameter = hyperparameter_from(item);
    if (!parameter.ok()) return within("the manifest package.json", parameter.error());
    if (!seen.insert(parameter->name).second) {
      return fail(Errc::invalid,
                  "the manifest package.json declares the hyperparameter '" + parameter->name + "' twice");
    }
    manifest.hyperparameters.push_back(std::move(*parameter));
  }
  for (const auto& [key, value] : environment.items()) {
    if (!is_variable_name(key) || !value.is_string()) {
      return fail(Errc::invalid, "the manifest package.json has an environment entry '" + key +
                                     "' that is not a variable name with a text");
    }
    manifest.environment[key] = value.get<std::string>();
  }
  manifest.metrics = TRY(metric_patterns_from(metrics));
  return manifest;
}

Json to_json(const std::vector<Manifest::MetricPattern>& metrics) {
  Json list = Json::array();
  for (const auto& item : metrics) list.push_back({{"name", item.name}, {"regex", item.regex}});
  return list;
}

Result<std::vector<Manifest::MetricPattern>> metric_patterns_from(const Json& json) {
  std::vector<Manifest::MetricPattern> metrics;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& item : json) metrics.push_back(TRY(metric_from(item)));
  return metrics;
}

Manifest Manifest::of_python(PackageName name) {
  return {
      std::move(name), "", Runtime::python, std::nullopt, std::nullopt, "json", "", "", false, true, {}, true, {}, {}};
}

const Hyperparameter* Manifest::find(std::string_view hyperparameter) const {
  const auto found = std::find_if(hyperparameters.begin(), hyperparameters.end(),
                                  [&](const auto& item) { return item.name == hyperparameter; });
  return found == hyperparameters.end() ? nullptr : &*found;
}

Json to_json(const Manifest& manifest) {
  Json hyperparameters = Json::array();
  for (const Hyperparameter& item : manifest.hyperparameters) hyperparameters.push_back(to_json(item));
  return {{"schema", kPackageSchema},
          {"name", manifest.name.text()},
          {"description", manifest.description},
          {"runtime", name_of(manifest.runtime)},
          {"library", manifest.library ? Json(manifest.library->text()) : Json(nullptr)},
          {"python", manifest.python ? Json(*manifest.python) : Json(nullptr)},
          {"input_type", manifest.input_type},
          {"input_description", manifest.input_description},
          {"output_description", manifest.output_description},
          {"requires_gpu", manifest.requires_gpu},
          {"training_enabled", manifest.training_enabled},
          {"hyperparameters", std::move(hyperparameters)},
          {"custom_hyperparameters", manifest.custom_hyperparameters},
          {"environment", manifest.environment},
          {"metrics", to_json(manifest.metrics)}};
}

}  // namespace trainyard
