// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_request.hpp"

#include <algorithm>
#include <cctype>

#include "runner/core/bucket_data.hpp"
#include "storage/values/dataset_reference.hpp"
#include "storage/values/named_enum.hpp"
#include "storage/values/parameter.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kRequestSchema = "trainyard.request/1";
constexpr std::string_view kTypeNames[] = {"training", "evaluation", "full"};
constexpr std::string_view kMountNames[] = {"best", "overlay", "reflink", "copy"};
constexpr std::string_view kDependencies[] = {"system", "venv"};

void check_dataset(Fields& fields, const char* key, const std::string& dataset) {
  if (dataset.starts_with('/')) return;
  if (names_bucket(dataset)) {
    if (dataset.find('@') != std::string::npos) fields.note(key, "is the address of a bucket with a '@'");
    return;
  }
  const auto reference = DatasetReference::parse(dataset);
  if (!reference.ok())
    fields.note(key, "is no absolute path, no address of a bucket and no dataset: " + reference.error().message);
}

Result<std::map<std::string, std::string>> tags_from(const Json& json) {
  std::map<std::string, std::string> tags;
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  if (json.size() > kMostTags) return fail(Errc::invalid, "has more than " + std::to_string(kMostTags) + " tags");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "'" + name + "' is not a text");
    tags[name] = value.get<std::string>();
    TRY(check_tag(name, tags[name]));
  }
  return tags;
}

Result<std::set<std::string>> secret_names_from(const Json& json) {
  std::set<std::string> names;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& name : json) {
    if (!name.is_string() || !is_variable_name(name.get<std::string>()))
      return fail(Errc::invalid, "has an entry that is no name of a variable");
    names.insert(name.get<std::string>());
  }
  return names;
}

}  // namespace

Result<void> check_tag(const std::string& name, const std::string& value) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; };
  if (name.empty() || name.size() > 64 || !std::all_of(name.begin(), name.end(), is_plain)) {
    return fail(Errc::invalid, "the tag '" + name + "' is not a name of 1 to 64 letters, digits, '_', '-' or '.'");
  }
  const bool printable =
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
  if (value.size() <= 256 && printable && utf8_cleaned(value) == value) return {};
  return fail(Errc::invalid, "the value of the tag '" + name + "' is not a line of at most 256 bytes of UTF-8");
}

std::string_view name_of(RunType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

Result<RunType> parse_run_type(std::string_view text) {
  if (const auto value = enum_named<RunType>(kTypeNames, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of training, evaluation, full");
}

std::string_view name_of(MountKind kind) { return kMountNames[static_cast<std::size_t>(kind)]; }

Result<MountKind> parse_mount_kind(std::string_view text) {
  if (const auto value = enum_named<MountKind>(kMountNames, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of best, overlay, reflink, copy");
}

std::string_view name_of(Dependencies dependencies) { return kDependencies[static_cast<std::size_t>(dependencies)]; }

Result<Dependencies> parse_dependencies(std::string_view text) {
  if (const auto value = enum_named<Dependencies>(kDependencies, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of system, venv");
}

RunRequest RunRequest::of(RunType type, PackageReference package, std::string dataset) {
  return {type,
          std::move(package),
          std::move(dataset),
          {},
          {},
          {},
          false,
          false,
          kDefaultGrace,
          {},
          MountKind::best,
          {},
          Dependencies::system,
          {},
          {}};
}

Json to_json(const RunRequest& request) {
  return {{"schema", kRequestSchema},
          {"type", name_of(request.type)},
          {"package", request.package.text()},
          {"dataset", request.dataset},
          {"evaluation_dataset", request.evaluation_dataset ? Json(*request.evaluation_dataset) : Json(nullptr)},
          {"name", request.name ? Json(request.name->text()) : Json(nullptr)},
          {"environment", request.environment},
          {"save_training_data", request.save_training_data},
          {"save_test_data", request.save_test_data},
          {"grace_ms", request.grace_ms},
          {"max_runtime_ms", request.max_runtime_ms ? Json(*request.max_runtime_ms) : Json(nullptr)},
          {"mount", name_of(request.mount)},
          {"python", request.python ? Json(*request.python) : Json(nullptr)},
          {"dependencies", name_of(request.dependencies)},
          {"experiment", request.experiment ? Json(request.experiment->text()) : Json(nullptr)},
          {"tags", request.tags},
          {"gpus", request.gpus ? Json(*request.gpus) : Json(nullptr)},
          {"priority", request.priority},
          {"retries", request.retries},
          {"secrets", request.secrets},
          {"isolation", to_json(request.isolation)},
          {"limits", to_json(request.limits)},
          {"reproduces", request.reproduces ? Json(request.reproduces->text()) : Json(nullptr)},
          {"output_remote", request.output_remote ? Json(*request.output_remote) : Json(nullptr)},
          {"placement", to_json(request.placement)}};
}

Result<RunRequest> run_request_from(const Json& json) {
  Fields fields(json, "the run request");
  fields.schema(kRequestSchema);
  const auto type = fields.parsed("type", parse_run_type);
  const auto package = fields.parsed("package", PackageReference::parse);
  const std::string dataset = fields.text("dataset");
  check_dataset(fields, "dataset", dataset);
  const auto evaluation_dataset = fields.optional_text("evaluation_dataset");
  if (evaluation_dataset) check_dataset(fields, "evaluation_dataset", *evaluation_dataset);
  const auto name = fields.parsed_or_null("name", RunName::parse);
  const Json& environment = fields.object("environment");
  const bool save_training_data = fields.boolean("save_training_data");
  const bool save_test_data = fields.boolean("save_test_data");
  const std::int64_t grace_ms = fields.integer("grace_ms", 0, RunRequest::kLongestTime);
  std::optional<std::int64_t> max_runtime_ms;
  if (fields.nullable("max_runtime_ms") != nullptr)
    max_runtime_ms = fields.integer("max_runtime_ms", 1, RunRequest::kLongestTime);
  const auto mount = fields.parsed("mount", parse_mount_kind);
  const auto python = fields.optional_text("python");
  if (python && !python->starts_with('/')) fields.note("python", "is '" + *python + "' but must be an absolute path");
  const auto dependencies = fields.parsed("dependencies", parse_dependencies);
  const auto experiment = fields.parsed_or_null("experiment", RunName::parse);
  const auto tags = fields.nested("tags", tags_from);
  std::optional<int> gpus;
  if (fields.has("gpus") && fields.nullable("gpus") != nullptr)
    gpus = static_cast<int>(fields.integer("gpus", 0, RunRequest::kMostGpus));
  const auto number = [&](const char* key, int least, int most) {
    return fields.has(key) ? static_cast<int>(fields.integer(key, least, most)) : 0;
  };
  const int priority = number("priority", -RunRequest::kMostPriority, RunRequest::kMostPriority);
  const int retries = number("retries", 0, RunRequest::kMostRetries);
  std::optional<std::set<std::string>> secrets{std::in_place};
  if (fields.has("secrets")) secrets = fields.nested("secrets", secret_names_from);
  // Requests that were made before there was a choice.
  auto isolation = std::optional(IsolationWish());
  auto limits = std::optional(RunRequest::default_limits());
  if (fields.has("isolation")) isolation = fields.nested("isolation", isolation_wish_from);
  if (fields.has("limits")) limits = fields.nested("limits", job_limits_from);
  std::optional<PackageVersion> reproduces;
  if (fields.has("reproduces")) reproduces = fields.parsed_or_null("reproduces", PackageVersion::parse);
  std::optional<std::string> output_remote;
  if (fields.has("output_remote")) output_remote = fields.optional_text("output_remote");
  auto placement = std::optional(Placement{ExecutorKind::local, {}, 1, DataSharding::replicated, {}, {}});
  if (fields.has("placement")) placement = fields.nested("placement", placement_from);
  TRY(fields.finish());
  if (evaluation_dataset && *type != RunType::full)
    return fail(Errc::invalid, "the run request has an evaluation dataset, which only a full run takes");
  if (reproduces && *type == RunType::evaluation)
    return fail(Errc::invalid, "the run request reproduces a version, which an evaluation cannot have made");
  RunRequest request{*type,
                     *package,
                     dataset,
                     evaluation_dataset,
                     name,
                     {},
                     save_training_data,
                     save_test_data,
                     grace_ms,
                     max_runtime_ms,
                     *mount,
                     python,
                     *dependencies,
                     experiment,
                     *tags,
                     gpus,
                     priority,
                     retries,
                     std::move(*secrets),
                     *isolation,
                     *limits,
                     reproduces,
                     std::move(output_remote),
                     std::move(*placement)};
  for (const auto& [key, value] : environment.items()) {
    if (!is_variable_name(key) || !value.is_string()) {
      return fail(Errc::invalid,
                  "the run request has an environment entry '" + key + "' that is not a variable name with a text");
    }
    request.environment[key] = value.get<std::string>();
  }
  return request;
}

}  // namespace trainyard
