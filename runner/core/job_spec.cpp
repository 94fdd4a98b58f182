// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_spec.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kJobSchema = "trainyard.job/1";

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

Json to_json(const PythonProgram& python) { return {{"interpreter", python.interpreter}, {"worker", python.worker}}; }

Result<PythonProgram> python_from(const Json& json) {
  PythonProgram python;
  Fields fields(json, "the Python of the job");
  python.interpreter = fields.text("interpreter");
  python.worker = fields.text("worker");
  TRY(fields.finish());
  return python;
}

Result<std::vector<OverlayMount>> overlays_from(const Json& json) {
  std::vector<OverlayMount> overlays;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& item : json) overlays.push_back(TRY(overlay_from(item)));
  return overlays;
}

// A list of texts.
template <class Texts>
Result<Texts> list_from(const Json& json) {
  Texts texts;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& item : json) {
    if (!item.is_string()) return fail(Errc::invalid, "has an entry that is not a text");
    texts.insert(texts.end(), item.get<std::string>());
  }
  return texts;
}

Json to_json(const Sandbox& sandbox) {
  return {{"wish", to_json(sandbox.wish)},
          {"writable", sandbox.writable},
          {"readable", sandbox.readable},
          {"devices", sandbox.devices},
          {"temporary", sandbox.temporary}};
}

Result<Sandbox> sandbox_from(const Json& json) {
  Fields fields(json, "the sandbox of the job");
  const auto wish = fields.nested("wish", isolation_wish_from);
  const auto writable = fields.nested("writable", list_from<std::vector<std::string>>);
  const auto readable = fields.nested("readable", list_from<std::vector<std::string>>);
  const auto devices = fields.nested("devices", list_from<std::vector<std::string>>);
  std::string temporary = fields.text("temporary");
  TRY(fields.finish());
  return Sandbox{*wish, *writable, *readable, *devices, std::move(temporary)};
}

Result<std::vector<JobSpec::Call>> calls_from(const Json& json) {
  std::vector<JobSpec::Call> calls;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& item : json) {
    Fields fields(item, "a call");
    const auto verb = fields.parsed("verb", parse_verb);
    auto directory = fields.optional_text("directory");
    auto directory_if_empty = fields.optional_text("directory_if_empty");
    TRY(fields.finish());
    calls.push_back({*verb, std::move(directory), std::move(directory_if_empty)});
  }
  return calls;
}

}  // namespace

namespace {

// The folders of a run's data, as absolute paths, by the names of trainyard_host.directory.
std::map<std::string, std::string> data_directories(const RunPlan& plan, const std::string& package) {
  std::map<std::string, std::string> directories = {{"data", package + "/" + plan.layout.data.bytes()}};
  if (trains(plan.request.type)) directories["training_data"] = package + "/" + plan.layout.training_data.bytes();
  if (evaluates(plan.request.type)) {
    directories["test_data"] = package + "/" + plan.layout.test_data.bytes();
    directories["evaluation_data"] = directories["test_data"];
  }
  return directories;
}

std::vector<JobSpec::Call> calls_of(RunType type, const std::map<std::string, std::string>& directories) {
  const auto directory = [&](const char* name) { return directories.at(name); };
  switch (type) {
    case RunType::training: return {{Verb::train, directory("training_data")}, {Verb::save, std::nullopt}};
    case RunType::evaluation: return {{Verb::evaluate, directory("test_data")}};
    case RunType::full: break;
  }
  return {{Verb::process_data, directory("data")},
          {Verb::train, directory("training_data"), directory("data")},
          {Verb::save, std::nullopt},
          {Verb::evaluate, directory("test_data")}};
}

// The device files of NVIDIA's driver: those of the run's GPUs, and those that any of them needs.
std::vector<std::string> devices_of(const std::vector<Gpu>& gpus) {
  std::vector<std::string> devices;
  for (const Gpu& gpu : gpus) devices.push_back("/dev/nvidia" + std::to_string(gpu.number));
  if (gpus.empty()) return devices;
  for (const char* const shared : {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"})
    devices.emplace_back(shared);
  return devices;
}

Sandbox sandbox_for(const RunPlan& plan, const Workspace& workspace) {
  std::vector<std::string> writable = {workspace.package_directory, workspace.home_directory,
                                       workspace.checkpoint_directory, workspace.temporary_directory};
  if (!workspace.rendezvous_directory.empty()) writable.push_back(workspace.rendezvous_directory);
  return {plan.request.isolation, std::move(writable), workspace.readable, devices_of(workspace.gpus),
          workspace.temporary_directory};
}

}  // namespace

JobSpec job_for(const RunPlan& plan, const Workspace& workspace, std::optional<std::int64_t> max_runtime_ms) {
  const std::string& package = workspace.package_directory;
  std::map<std::string, std::string> directories = data_directories(plan, package);
  const RunType type = plan.request.type;
  std::vector<std::string> folders;
  if (type == RunType::full) folders = {directories["training_data"], directories["test_data"]};
  JobSpec job{plan.run,
              plan.parent.content.name.text() + "@" + plan.parent.version.text(),
              plan.library ? std::optional(package + "/" + plan.library->bytes()) : std::nullopt,
              workspace.python,
              package,
              calls_of(type, directories),
              plan.environment,
              directories,
              plan.parameters,
              workspace.overlays,
              std::move(folders),
              plan.request.secrets,
              plan.request.grace_ms,
              max_runtime_ms,
              plan.request.limits,
              sandbox_for(plan, workspace),
              plan.request.placement,
              plan.gpus};
  for (const auto& [name, path] : directories) job.environment[name + "_directory"] = path;
  job.directories["package"] = package;
  job.directories["artifacts"] = package + "/" + plan.layout.artifacts.bytes();
  job.environment["artifacts_directory"] = job.directories["artifacts"];
  if (!workspace.rendezvous_directory.empty()) job.directories["rendezvous"] = workspace.rendezvous_directory;
  if (workspace.rank != 0) {
    std::erase_if(job.calls,
                  [](const JobSpec::Call& call) { return call.verb == Verb::save || call.verb == Verb::evaluate; });
  }
  job.directories["checkpoint"] = workspace.checkpoint_directory;
  job.environment["checkpoint_directory"] = workspace.checkpoint_directory;
  std::string gpus;
  for (const Gpu& gpu : workspace.gpus) gpus += (gpus.empty() ? "" : ",") + gpu.name;
  // Empty hides the GPUs that belong to other runs.
  job.environment["CUDA_VISIBLE_DEVICES"] = gpus;
  for (const char* const name : {"save_training_data", "save_test_data"}) job.environment.try_emplace(name, "false");
  // The least that libraries expect of any process.
  job.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  job.environment.try_emplace("HOME", workspace.home_directory);
  job.environment.try_emplace("TMPDIR", workspace.temporary_directory);
  job.environment.try_emplace("LC_ALL", "C.UTF-8");
  return job;
}

Json to_json(const JobSpec& job) {
  Json calls = Json::array();
  for (const auto& call : job.calls) {
    calls.push_back({{"verb", name_of(call.verb)},
                     {"directory", call.directory ? Json(*call.directory) : Json(nullptr)},
                     {"directory_if_empty", call.directory_if_empty ? Json(*call.directory_if_empty) : Json(nullptr)}});
  }
  Json overlays = Json::array();
  for (const OverlayMount& overlay : job.overlays) overlays.push_back(to_json(overlay));
  return {{"schema", kJobSchema},
          {"run", job.run.text()},
          {"package", job.package},
          {"library", job.library ? Json(*job.library) : Json(nullptr)},
          {"python", job.python ? to_json(*job.python) : Json(nullptr)},
          {"working_directory", job.working_directory},
          {"calls", std::move(calls)},
          {"environment", job.environment},
          {"directories", job.directories},
          {"parameters", to_json(job.parameters)},
          {"overlays", std::move(overlays)},
          {"folders", job.folders},
          {"secrets", job.secrets},
          {"grace_ms", job.grace_ms},
          {"max_runtime_ms", job.max_runtime_ms ? Json(*job.max_runtime_ms) : Json(nullptr)},
          {"limits", to_json(job.limits)},
          {"sandbox", to_json(job.sandbox)},
          {"placement", to_json(job.placement)},
          {"gpus", job.gpus}};
}

Result<JobSpec> job_spec_from(const Json& json) {
  Fields fields(json, "the job");
  fields.schema(kJobSchema);
  const auto run = fields.parsed("run", RunId::parse);
  std::string package = fields.text("package");
  auto library = fields.optional_text("library");
  std::optional<PythonProgram> python;
  if (fields.nullable("python") != nullptr) python = fields.nested("python", python_from);
  if (library.has_value() == python.has_value()) fields.note("library", "or 'python' must be given, and not both");
  std::string working_directory = fields.text("working_directory");
  const auto calls = fields.nested("calls", calls_from);
  const auto environment = fields.nested("environment", texts_from);
  const auto directories = fields.nested("directories", texts_from);
  const auto parameters = fields.nested("parameters", parameters_from);
  const auto overlays = fields.nested("overlays", overlays_from);
  const auto folders = fields.nested("folders", list_from<std::vector<std::string>>);
  const auto secrets = fields.nested("secrets", list_from<std::set<std::string>>);
  const std::int64_t grace_ms = fields.integer("grace_ms", 0, RunRequest::kLongestTime);
  std::optional<std::int64_t> max_runtime_ms;
  if (fields.nullable("max_runtime_ms") != nullptr)
    max_runtime_ms = fields.integer("max_runtime_ms", 1, RunRequest::kLongestTime);
  const auto limits = fields.nested("limits", job_limits_from);
  auto sandbox = fields.nested("sandbox", sandbox_from);
  auto placement = fields.nested("placement", placement_from);
  const int gpus = static_cast<int>(fields.integer("gpus", 0, RunRequest::kMostGpus));
  TRY(fields.finish());
  return JobSpec{*run,
                 std::move(package),
                 std::move(library),
                 std::move(python),
                 std::move(working_directory),
                 *calls,
                 *environment,
                 *directories,
                 *parameters,
                 *overlays,
                 *folders,
                 *secrets,
                 grace_ms,
                 max_runtime_ms,
                 *limits,
                 std::move(*sandbox),
                 std::move(*placement),
                 gpus};
}

}  // namespace trainyard
