// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_spec.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSchema = "trainyard.job/1";

Json to_json(const OverlayMount& overlay) {
  return {{"lower", overlay.lower}, {"upper", overlay.upper}, {"work", overlay.work}, {"target", overlay.target}};
}

Result<OverlayMount> overlay_from(const Json& json) {
  OverlayMount overlay;
  Fields fields(json, "the overlay of the job");
  overlay.lower = fields.text("lower");
  overlay.upper = fields.text("upper");
  overlay.work = fields.text("work");
  overlay.target = fields.text("target");
  TRY(fields.finish());
  return overlay;
}

Result<std::map<std::string, std::string>> texts_from(const Json& json) {
  std::map<std::string, std::string> texts;
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "'" + key + "' is not a text");
    texts[key] = value.get<std::string>();
  }
  return texts;
}

Result<std::vector<JobSpec::Call>> calls_from(const Json& json) {
  std::vector<JobSpec::Call> calls;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& item : json) {
    Fields fields(item, "a call");
    const auto verb = fields.parsed("verb", parse_verb);
    auto directory = fields.optional_text("directory");
    TRY(fields.finish());
    calls.push_back({*verb, std::move(directory)});
  }
  return calls;
}

}  // namespace

JobSpec job_for(const RunPlan& plan, const Workspace& workspace) {
  const std::string& package = workspace.package_directory;
  const std::string data = package + "/" + plan.layout.training_data.bytes();
  JobSpec job{plan.run,
              plan.parent.content.name.text() + "@" + plan.parent.version.text(),
              package + "/" + plan.library.bytes(),
              package,
              {{Verb::train, data}, {Verb::save, std::nullopt}},
              plan.environment,
              {{"package", package},
               {"artifacts", package + "/" + plan.layout.artifacts.bytes()},
               {"data", data},
               {"training_data", data}},
              plan.parameters,
              workspace.overlay,
              plan.request.grace_ms,
              plan.request.max_runtime_ms};
  job.environment["artifacts_directory"] = job.directories["artifacts"];
  job.environment["data_directory"] = data;
  job.environment["training_data_directory"] = data;
  job.environment["save_test_data"] = "false";
  // The least that libraries expect of any process.
  job.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  job.environment.try_emplace("HOME", package);
  job.environment.try_emplace("LC_ALL", "C.UTF-8");
  return job;
}

Json to_json(const JobSpec& job) {
  Json calls = Json::array();
  for (const auto& call : job.calls) {
    calls.push_back(
        {{"verb", name_of(call.verb)}, {"directory", call.directory ? Json(*call.directory) : Json(nullptr)}});
  }
  return {{"schema", kSchema},
          {"run", job.run.text()},
          {"package", job.package},
          {"library", job.library},
          {"working_directory", job.working_directory},
          {"calls", std::move(calls)},
          {"environment", job.environment},
          {"directories", job.directories},
          {"parameters", to_json(job.parameters)},
          {"overlay", job.overlay ? to_json(*job.overlay) : Json(nullptr)},
          {"grace_ms", job.grace_ms},
          {"max_runtime_ms", job.max_runtime_ms ? Json(*job.max_runtime_ms) : Json(nullptr)}};
}

Result<JobSpec> job_spec_from(const Json& json) {
  Fields fields(json, "the job");
  fields.schema(kSchema);
  const auto run = fields.parsed("run", RunId::parse);
  std::string package = fields.text("package");
  std::string library = fields.text("library");
  std::string working_directory = fields.text("working_directory");
  const auto calls = fields.nested("calls", calls_from);
  const auto environment = fields.nested("environment", texts_from);
  const auto directories = fields.nested("directories", texts_from);
  const auto parameters = fields.nested("parameters", parameters_from);
  std::optional<OverlayMount> overlay;
  if (fields.nullable("overlay") != nullptr) overlay = fields.nested("overlay", overlay_from);
  const std::int64_t grace_ms = fields.integer("grace_ms", 0, RunRequest::kLongestTime);
  std::optional<std::int64_t> max_runtime_ms;
  if (fields.nullable("max_runtime_ms") != nullptr)
    max_runtime_ms = fields.integer("max_runtime_ms", 1, RunRequest::kLongestTime);
  TRY(fields.finish());
  return JobSpec{*run,    std::move(package), std::move(library), std::move(working_directory),
                 *calls,  *environment,       *directories,       *parameters,
                 overlay, grace_ms,           max_runtime_ms};
}

}  // namespace trainyard
