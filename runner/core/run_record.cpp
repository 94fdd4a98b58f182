// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_record.hpp"

#include <cmath>

#include "runner/core/run_plan.hpp"
#include "storage/values/salted_digest.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kRunRecordSchema = "trainyard.results/1";

Result<RecordedVersion> version_from(const Json& json) {
  Fields fields(json, "a version of the results");
  const auto package = fields.parsed("package", PackageName::parse);
  const auto version = fields.parsed("version", PackageVersion::parse);
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto zip = fields.nested("zip", zip_summary_from);
  TRY(fields.finish());
  return RecordedVersion{*package, *version, *tree, *zip};
}

template <class Value, class Read>
std::optional<Value> nested_or_null(Fields& fields, const char* key, Read read) {
  if (fields.nullable(key) == nullptr) return std::nullopt;
  auto value = fields.nested(key, read);
  return value ? std::optional<Value>(std::move(*value)) : std::nullopt;
}

Result<RecordedInput> input_from(const Json& json) {
  Fields fields(json, "an input of the results");
  RecordedInput input;
  input.input = fields.text("input");
  input.source = fields.text("source");
  const auto kind = fields.parsed("kind", parse_data_kind);
  input.dataset = nested_or_null<DatasetReference>(fields, "dataset", chosen_dataset_from);
  input.tree = nested_or_null<TreeSummary>(fields, "tree", tree_summary_from);
  if (fields.has("bucket")) input.bucket = nested_or_null<BucketState>(fields, "bucket", bucket_state_from);
  fields.parsed_or_null("mount", parse_mount_kind);
  input.snapshot = fields.parsed_or_null("snapshot", Digest::parse);
  TRY(fields.finish());
  input.kind = *kind;
  if (input.input != "train_data" && input.input != "evaluation_data")
    return fail(Errc::invalid, "the results have an unknown input '" + input.input + "'");
  if (input.dataset.has_value() != (input.kind == DataSource::Kind::dataset))
    return fail(Errc::invalid, "the input '" + input.input +
                                   "' of the results names a dataset where it must not, or none where it must");
  if (input.bucket.has_value() != (input.kind == DataSource::Kind::bucket))
    return fail(Errc::invalid, "the input '" + input.input +
                                   "' of the results tells of a bucket where it must not, or not where it must");
  if (input.snapshot && (!input.tree || input.tree->digest != *input.snapshot))
    return fail(Errc::invalid, "the snapshot of the input '" + input.input + "' is not of the data that was read");
  return input;
}

Result<RecordedPython> recorded_python(const Json& json) {
  Fields fields(json, "the python of the results");
  RecordedPython python;
  python.interpreter = fields.text("interpreter");
  const auto dependencies = fields.parsed("dependencies", parse_dependencies);
  python.version = fields.optional_text("version");
  TRY(fields.finish());
  python.dependencies = *dependencies;
  return python;
}

Result<RecordedReproduction> reproduction_from(const Json& json) {
  Fields fields(json, "the reproduction of the results");
  const auto version = fields.parsed("version", PackageVersion::parse);
  const auto tree = nested_or_null<TreeSummary>(fields, "tree", tree_summary_from);
  TRY(fields.finish());
  return RecordedReproduction{*version, tree};
}

Result<std::map<std::string, ParameterValue>> values_from(const Json& json) {
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  std::map<std::string, ParameterValue> values;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) {
      values.emplace(name, value.get<std::string>());
    } else if (value.is_boolean()) {
      values.emplace(name, value.get<bool>());
    } else if (value.is_number_integer()) {
      values.emplace(name, value.get<std::int64_t>());
    } else if (value.is_number()) {
      values.emplace(name, value.get<double>());
    } else {
      return fail(Errc::invalid, "the hyperparameter '" + name + "' is neither text nor number nor boolean");
    }
  }
  return values;
}

Result<void> check_attempt(const Json& json) {
  Fields fields(json, "an attempt of the results");
  fields.integer("attempt", 1, RunRequest::kMostRetries + 1);
  fields.parsed("started_at", Instant::parse);
  fields.parsed("ended_at", Instant::parse);
  fields.parsed("reason", parse_run_reason);
  fields.optional_text("message");
  for (const char* const key :
       {"exit_code", "signal", "user_seconds", "system_seconds", "peak_bytes", "read_bytes", "written_bytes"}) {
    if (fields.nullable(key) != nullptr) fields.number(key);
  }
  for (const char* const key : {"limit", "isolation"}) {
    if (fields.nullable(key) != nullptr) fields.object(key);
  }
  // Not in what earlier versions wrote.
  if (fields.has("ranks")) fields.array("ranks");
  return fields.finish();
}

std::optional<double> number_or_null(Fields& fields, const char* key) {
  if (fields.nullable(key) == nullptr) return std::nullopt;
  return fields.number(key);
}

Instant instant_of(double seconds) { return {static_cast<std::int64_t>(std::llround(seconds * 1e6))}; }

// What people read, which says again what traceability says.
struct Summary {
  std::string package, version;
  std::optional<std::string> gpu;
  std::map<std::string, std::optional<std::string>> data;  // by input: where it came from
  std::map<std::string, std::optional<std::string>> snapshots;
  std::optional<std::string> made_package, made_version;
  std::optional<double> score;
  double seconds = 0;
};

Result<void> read_parameters(const Json& json, RunRecord& record, Summary& summary, std::optional<RunName>& name) {
  Fields fields(json, "the parameters of the results");
  name = fields.parsed("pipeline", RunName::parse);
  const Json& inputs = fields.object("inputs");
  const auto environment = fields.nested("env", texts_from);
  TRY(fields.finish());
  record.environment = *environment;
  Fields given(inputs, "the inputs of the results");
  summary.package = given.text("package");
  summary.version = given.text("version");
  summary.gpu = given.text("gpu");
  for (const char* const key : {"train_data", "evaluation_data"}) {
    if (given.has(key)) summary.data[key] = given.optional_text(key);
  }
  TRY(given.finish());
  if (summary.gpu != "True" && summary.gpu != "False")
    return fail(Errc::invalid, "the inputs of the results have a gpu that is neither True nor False");
  record.gpu = summary.gpu == "True";
  return {};
}

Result<void> read_summary(const Json& json, RunRecord& record, Summary& summary) {
  Fields fields(json, "the summary of the results");
  summary.seconds = fields.number("execution_time");
  record.started_at = instant_of(fields.number("start_at"));
  record.ended_at = instant_of(fields.number("end_at"));
  const Json& outputs = fields.object("outputs");
  TRY(fields.finish());
  Fields made(outputs, "the outputs of the results");
  record.artifacts_folder = made.optional_text("artifacts_data");
  for (const char* const key : {"train_data", "evaluation_data"}) {
    if (made.has(key)) summary.snapshots[key] = made.optional_text(key);
  }
  if (made.has("package")) summary.made_package = made.optional_text("package");
  if (made.has("version")) summary.made_version = made.optional_text("version");
  if (made.has("score")) summary.score = number_or_null(made, "score");
  return made.finish();
}

Result<RunRecord> read_traceability(const Json& json) {
  Fields fields(json, "the traceability of the results");
  fields.schema(kRunRecordSchema);
  const auto run = fields.parsed("run", RunId::parse);
  const auto type = fields.parsed("type", parse_run_type);
  const std::string status = fields.text("status");
  const auto reason = fields.parsed("reason", parse_run_reason);
  const auto message = fields.optional_text("message");
  const Json& attempts = fields.array("attempts");
  const Json& datasets = fields.array("datasets");
  const auto snapshot = fields.parsed_or_null("snapshot", Digest::parse);
  std::optional<bool> trained_on_dataset;
  if (fields.nullable("trained_on_dataset") != nullptr) trained_on_dataset = fields.boolean("trained_on_dataset");
  fields.any("overlap");
  const auto parent = fields.nested("parent", version_from);
  auto version = nested_or_null<RecordedVersion>(fields, "version", version_from);
  std::optional<RecordedReproduction> reproduces;  // which no run did before there was the word
  if (fields.has("reproduces"))
    reproduces = nested_or_null<RecordedReproduction>(fields, "reproduces", reproduction_from);
  auto artifacts = nested_or_null<TreeSummary>(fields, "artifacts", tree_summary_from);
  const Json& abi = fields.object("abi");
  auto python = nested_or_null<RecordedPython>(fields, "python", recorded_python);
  auto experiment = fields.parsed_or_null("experiment", RunName::parse);
  const auto tags = fields.nested("tags", texts_from);
  fields.object("limits");
  const std::string runner = fields.text("runner");
  const std::string host = fields.text("host");
  std::optional<std::int64_t> seed;
  if (fields.nullable("seed") != nullptr) seed = fields.integer("seed", INT64_MIN, INT64_MAX);
  const auto hyperparameters = fields.nested("hyperparameters", values_from);
  const Json& secrets = fields.object("secrets");
  const Json& metrics = fields.object("metrics");
  const auto score = number_or_null(fields, "score");
  TRY(fields.finish());
  Fields code(abi, "the abi of the results");
  const auto runtime = code.parsed("runtime", parse_runtime);
  const auto major = static_cast<std::uint32_t>(code.integer("major", 1, UINT32_MAX));
  const auto minor = static_cast<std::uint32_t>(code.integer("minor", 0, UINT32_MAX));
  const std::string builder = code.text("builder");
  TRY(code.finish());

  RunRecord record{*run,
                   RunName::made_up(parent->package, *run),
                   *type,
                   Outcome{*reason, message.value_or("")},
                   {},
                   {},
                   {},
                   {},
                   *parent,
                   std::move(version),
                   std::move(artifacts),
                   {},
                   trained_on_dataset,
                   *runtime,
                   major,
                   minor,
                   builder,
                   std::move(python),
                   std::move(experiment),
                   *tags,
                   runner,
                   host,
                   seed,
                   *hyperparameters,
                   {},
                   false,
                   metrics,
                   score,
                   {},
                   std::move(reproduces)};
  for (const Json& attempt : attempts) TRY(check_attempt(attempt));
  for (const Json& input : datasets) record.inputs.push_back(TRY(input_from(input)));
  for (const auto& [name, digest] : secrets.items()) {
    TRY(salted_digest_from(digest));
    record.secrets.push_back(name);
  }
  if (record.inputs.empty()) return fail(Errc::invalid, "the results name no input");
  if (snapshot != record.inputs.front().snapshot)
    return fail(Errc::invalid, "the results name two snapshots of their first input");
  if (name_of(record.outcome.status()) != status)
    return fail(Errc::invalid, "the results have the status '" + status + "', which does not go with the reason " +
                                   std::string(name_of(*reason)));
  return record;
}

Error contradiction(const std::string& what) {
  return fail(Errc::invalid, "the results contradict themselves: " + what);
}

Result<void> check_agreement(const RunRecord& record, const Summary& summary) {
  if (summary.package != record.parent.package.text() || summary.version != record.parent.version.text())
    return contradiction("the inputs name " + summary.package + "@" + summary.version + " and the traceability " +
                         record.parent.text());
  const std::string made = summary.made_package.value_or("") + "@" + summary.made_version.value_or("");
  if (made != (record.version ? record.version->text() : "@"))
    return contradiction("the outputs name another new version than the traceability");
  if (record.version && (!trains(record.type) || record.outcome.reason != RunReason::ok))
    return contradiction("a run that cannot have made a version names one");
  const bool reproduced = record.reproduces && record.reproduces->tree;
  if (record.version && record.reproduces) return contradiction("a run that reproduces a version names a new one");
  if (reproduced != (record.reproduces && record.outcome.reason == RunReason::ok))
    return contradiction(
        "a run that reproduces a version tells of its outputs where it must not, or not where it must");
  if (!record.version && !record.reproduces && trains(record.type) && record.outcome.reason == RunReason::ok)
    return contradiction("a run that trained with success names no new version");
  if (record.version && record.version->package != record.parent.package)
    return contradiction("the new version is of another package");
  for (const RecordedInput& input : record.inputs) {
    const auto given = summary.data.find(input.input);
    if (given == summary.data.end() || given->second != input.source)
      return contradiction("the source of the input '" + input.input + "' is told in two ways");
    const auto snapshot = summary.snapshots.find(input.input);
    const std::optional<std::string> kept = input.snapshot ? std::optional(input.snapshot->hex()) : std::nullopt;
    if (snapshot == summary.snapshots.end() || snapshot->second != kept)
      return contradiction("the snapshot of the input '" + input.input + "' is told in two ways");
  }
  if (summary.score != record.score && evaluates(record.type) && summary.score)
    return contradiction("the score is told in two ways");
  const auto seed = record.hyperparameters.find("seed");
  const auto* const seeded = seed == record.hyperparameters.end() ? nullptr : std::get_if<std::int64_t>(&seed->second);
  if (record.seed != (seeded != nullptr ? std::optional(*seeded) : std::nullopt))
    return contradiction("the seed is told in two ways");
  const double seconds = static_cast<double>(record.ended_at.microseconds - record.started_at.microseconds) / 1e6;
  if (std::abs(seconds - summary.seconds) > 1e-5)
    return contradiction("the execution time is not the time from start to end");
  return {};
}

}  // namespace

Result<RunRecord> run_record_from(const Json& results) {
  Fields fields(results, "the results");
  const Json& parameters = fields.object("parameters");
  const Json& run_summary = fields.object("run_summary");
  const Json& traceability = fields.object("traceability");
  TRY(fields.finish());
  RunRecord record = TRY(read_traceability(traceability));
  Summary summary;
  std::optional<RunName> name;
  TRY(read_parameters(parameters, record, summary, name));
  record.name = *name;
  TRY(read_summary(run_summary, record, summary));
  TRY(check_agreement(record, summary));
  record.document = results;
  return record;
}

}  // namespace trainyard
