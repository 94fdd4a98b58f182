// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_results.hpp"

#include <algorithm>
#include <cmath>

namespace trainyard {

namespace {

constexpr std::string_view kResultsSchema = "trainyard.results/1";

Json hyperparameters(const RunPlan& plan) {
  Json typed = Json::object();
  for (const Parameter& parameter : plan.parameters) typed[parameter.name] = json_of(parameter.value);
  return typed;
}

Json seed(const RunPlan& plan) {
  for (const Parameter& parameter : plan.parameters) {
    if (parameter.name == "seed" && type_of(parameter.value) == ParameterType::integer) return json_of(parameter.value);
  }
  return nullptr;
}

Outcome outcome_of(const RunState& state) {
  const auto* const failed = std::get_if<state::Failed>(&state);
  return failed != nullptr ? failed->outcome : Outcome{};
}

// One worker of an attempt that had several. One that left no word has ended all the same.
Json to_json(const std::optional<JobExit>& exit, std::size_t rank) {
  Json json = {{"rank", rank},          {"host", nullptr},         {"exit_code", nullptr},      {"signal", nullptr},
               {"failure", nullptr},    {"user_seconds", nullptr}, {"system_seconds", nullptr}, {"peak_bytes", nullptr},
               {"read_bytes", nullptr}, {"written_bytes", nullptr}};
  if (!exit) return json;
  if (exit->rank) json["host"] = exit->rank->host;
  json["exit_code"] = or_null(exit->code);
  json["signal"] = or_null(exit->signal);
  json["failure"] = or_null(exit->failure);
  json["user_seconds"] = static_cast<double>(exit->user_us) / 1e6;
  json["system_seconds"] = static_cast<double>(exit->system_us) / 1e6;
  json["peak_bytes"] = exit->peak_bytes;
  json["read_bytes"] = exit->read_bytes;
  json["written_bytes"] = exit->written_bytes;
  return json;
}

Json to_json(const Attempt& attempt, std::size_t number) {
  Json json = {{"attempt", number},
               {"started_at", attempt.started_at.text()},
               {"ended_at", attempt.ended_at.text()},
               {"reason", name_of(attempt.outcome.reason)},
               {"message", attempt.outcome.reason == RunReason::ok ? Json(nullptr) : Json(attempt.outcome.message)},
               {"exit_code", nullptr},
               {"signal", nullptr},
               {"user_seconds", nullptr},
               {"system_seconds", nullptr},
               {"peak_bytes", nullptr},
               {"read_bytes", nullptr},
               {"written_bytes", nullptr},
               {"limit", nullptr},
               {"isolation", nullptr},
               {"ranks", Json::array()}};
  for (const auto& rank : attempt.ranks) json["ranks"].push_back(to_json(rank, json["ranks"].size()));
  if (!attempt.exit) return json;
  const JobExit& exit = *attempt.exit;
  json["started_at"] = exit.started_at.text();
  json["ended_at"] = exit.ended_at.text();
  if (exit.code) json["exit_code"] = *exit.code;
  if (exit.signal) json["signal"] = *exit.signal;
  json["user_seconds"] = static_cast<double>(exit.user_us) / 1e6;
  json["system_seconds"] = static_cast<double>(exit.system_us) / 1e6;
  json["peak_bytes"] = exit.peak_bytes;
  json["read_bytes"] = exit.read_bytes;
  json["written_bytes"] = exit.written_bytes;
  if (exit.limit) json["limit"] = to_json(*exit.limit);
  if (exit.isolation) json["isolation"] = to_json(*exit.isolation);
  return json;
}

Json to_json(const std::vector<Attempt>& attempts) {
  Json list = Json::array();
  for (const Attempt& attempt : attempts) list.push_back(to_json(attempt, list.size() + 1));
  return list;
}

Json version_json(const std::optional<VersionRecord>& version) {
  if (!version) return nullptr;
  return {{"package", version->content.name.text()},
          {"version", version->version.text()},
          {"tree", to_json(version->content.tree)},
          {"zip", to_json(version->content.zip)}};
}

// What a run that does another one again has made in place of a version.
Json reproduction_json(const RunReport& report) {
  const auto& version = report.plan.request.reproduces;
  if (!version) return nullptr;
  const auto* const reproduced = std::get_if<state::Reproduced>(&report.state);
  const auto made = reproduced != nullptr ? reproduced->outputs.package : std::nullopt;
  return {{"version", version->text()}, {"tree", made ? to_json(made->tree) : Json(nullptr)}};
}

// One dataset of a run, under the name that the results have for it.
struct Input {
  const char* name;
  std::string given;
  const DataSource* source;
  std::optional<StagedInput> staged;

  [[nodiscard]] Json snapshot() const {
    return staged && staged->snapshot ? Json(snapshot_id(staged->tree)) : Json(nullptr);
  }
};

std::vector<Input> inputs_of(const RunReport& report) {
  const RunPlan& plan = report.plan;
  const auto data = data_of(report.state);
  const char* const name = trains(plan.request.type) ? "train_data" : "evaluation_data";
  std::vector<Input> inputs = {
      {name, plan.request.dataset, &plan.data, data ? std::optional(data->data) : std::nullopt}};
  if (plan.evaluation_data) {
    inputs.push_back({"evaluation_data", *plan.request.evaluation_dataset, &*plan.evaluation_data,
                      data ? data->evaluation : std::nullopt});
  }
  return inputs;
}

Json dataset_of(const Input& input) {
  return {{"input", input.name},
          {"source", input.given},
          {"kind", name_of(input.source->kind)},
          {"dataset", dataset_json(*input.source)},
          {"bucket", input.source->bucket ? to_json(*input.source->bucket) : Json(nullptr)},
          {"tree", input.staged ? to_json(input.staged->tree) : Json(nullptr)},
          {"mount", input.staged ? Json(name_of(input.staged->mount)) : Json(nullptr)},
          {"snapshot", input.snapshot()}};
}

// What ran a Python package; the version is null when it did not come so far.
Json python_json(const RunReport& report) {
  const RunRequest& request = report.plan.request;
  if (!request.python) return nullptr;
  return {{"interpreter", *request.python},
          {"dependencies", name_of(request.dependencies)},
          {"version", report.python_version ? Json(*report.python_version) : Json(nullptr)}};
}

Json traceability(const RunReport& report) {
  const RunPlan& plan = report.plan;
  const Outcome ended = outcome_of(report.state);
  const CollectedOutputs* const outputs = outputs_of(report.state);
  const std::optional<Evaluation> evaluation = outputs != nullptr ? outputs->evaluation : std::nullopt;
  const std::vector<Input> inputs = inputs_of(report);
  Json datasets = Json::array();
  for (const Input& input : inputs) datasets.push_back(dataset_of(input));
  Json secrets = Json::object();
  for (const auto& [name, digest] : plan.secrets) secrets[name] = to_json(digest);
  const PackageAbi& abi = plan.parent.content.abi;
  return {
      {"schema", kResultsSchema},
      {"run", plan.run.text()},
      {"type", name_of(plan.request.type)},
      {"status", name_of(ended.status())},
      {"reason", name_of(ended.reason)},
      {"message", ended.reason == RunReason::ok ? Json(nullptr) : Json(ended.message)},
      {"attempts", to_json(report.attempts)},
      {"datasets", std::move(datasets)},
      {"snapshot", inputs.front().snapshot()},
      {"trained_on_dataset",
       outputs != nullptr && plan.request.type == RunType::full ? Json(outputs->trained_on_dataset) : Json(nullptr)},
      {"overlap", overlap_json(evaluation ? evaluation->overlap : std::nullopt)},
      {"parent", version_json(plan.parent)},
      {"version", version_json(report.version)},
      {"reproduces", reproduction_json(report)},
      {"artifacts", or_null(report.artifacts)},
      {"abi",
       {{"runtime", name_of(abi.runtime)}, {"major", abi.major}, {"minor", abi.minor}, {"builder", abi.builder}}},
      {"python", python_json(report)},
      {"experiment", plan.request.experiment ? Json(plan.request.experiment->text()) : Json(nullptr)},
      {"tags", plan.request.tags},
      {"limits", to_json(plan.request.limits)},
      {"runner", report.runner_version},
      {"host", report.host},
      {"seed", seed(plan)},
      {"hyperparameters", hyperparameters(plan)},
      {"secrets", std::move(secrets)},
      {"metrics", report.metrics.json()},
      {"score", evaluation ? Json(evaluation->score) : Json(nullptr)}};
}

// The keys of a type are always there, and null for what there is not.
void add_data(const RunReport& report, Json& inputs, Json& outputs) {
  const RunType type = report.plan.request.type;
  for (const char* const key : {"train_data", "evaluation_data"}) {
    const bool training = std::string_view(key) == "train_data";
    if (training ? !trains(type) : !evaluates(type)) continue;
    inputs[key] = nullptr;
    outputs[key] = nullptr;
  }
  for (const Input& input : inputs_of(report)) {
    inputs[input.name] = input.given;
    outputs[input.name] = input.snapshot();
  }
}

}  // namespace

void MetricSummaries::add(const event::Measured& measured) {
  MetricSummary& summary = by_name_[measured.name];
  ++summary.count;
  summary.last = measured.value;
  summary.last_step = measured.step;
  if (!std::isfinite(measured.value)) return;
  summary.least = std::min(summary.least.value_or(measured.value), measured.value);
  summary.most = std::max(summary.most.value_or(measured.value), measured.value);
}

Json MetricSummaries::json() const {
  Json json = Json::object();
  for (const auto& [name, summary] : by_name_) {
    json[name] = {{"count", summary.count},
                  {"last", metric_value(summary.last)},
                  {"last_step", summary.last_step},
                  {"min", or_null(summary.least)},
                  {"max", or_null(summary.most)}};
  }
  return json;
}

std::optional<Instant> start_in(const std::vector<JournalEntry>& journal) {
  for (const JournalEntry& entry : journal) {
    if (std::holds_alternative<state::Planned>(entry.state)) return entry.time;
  }
  return std::nullopt;
}

std::int64_t milliseconds_run(const std::vector<Attempt>& attempts) {
  std::int64_t all = 0;
  for (const Attempt& attempt : attempts) {
    if (!attempt.begun_at) continue;
    const Instant end = attempt.exit ? attempt.exit->ended_at : attempt.ended_at;
    // A clock may be set back meanwhile, and that of a cluster's disk may be another.
    all += std::max<std::int64_t>(end.microseconds - attempt.begun_at->microseconds, 0) / 1000;
  }
  return all;
}

std::vector<Attempt> attempts_in(const std::vector<JournalEntry>& journal) {
  std::vector<Attempt> attempts;
  bool judged = true;  // what goes wrong until the next one runs is not the last one's
  bool ended = true;
  for (const JournalEntry& entry : journal) {
    if (std::holds_alternative<state::Running>(entry.state)) {
      attempts.push_back({entry.time, entry.time, {}, {}});
      judged = ended = false;
    } else if (!ended && !std::holds_alternative<state::Stopping>(entry.state)) {
      attempts.back().ended_at = entry.time;
      ended = true;
    }
    if (judged) continue;
    if (const auto* const retrying = std::get_if<state::Retrying>(&entry.state)) {
      attempts.back().outcome = retrying->outcome;
      judged = true;
    }
    if (const auto* const failed = std::get_if<state::Failed>(&entry.state)) attempts.back().outcome = failed->outcome;
  }
  return attempts;
}

Result<std::optional<TreeSummary>> artifacts_in_results(const Json& results) {
  Fields fields(results, "the results", UnknownKeys::ignore);
  const Json& traceability = fields.object("traceability");
  TRY(fields.finish());
  Fields inner(traceability, "the results", UnknownKeys::ignore);
  inner.schema(kResultsSchema);
  const Json* const artifacts = inner.nullable("artifacts");
  TRY(inner.finish());
  if (artifacts == nullptr) return std::optional<TreeSummary>();
  return std::optional(TRY(tree_summary_from(*artifacts)));
}

std::string snapshot_id(const TreeSummary& tree) { return tree.digest.hex(); }

Json results_json(const RunReport& report) {
  const RunPlan& plan = report.plan;
  const CollectedOutputs* const made = outputs_of(report.state);
  Json inputs = {{"package", plan.parent.content.name.text()},
                 {"version", plan.parent.version.text()},
                 {"gpu", plan.gpus > 0 ? "True" : "False"}};
  Json outputs = {{"artifacts_data", report.artifacts ? Json(report.artifacts_folder) : Json(nullptr)}};
  add_data(report, inputs, outputs);
  if (trains(plan.request.type)) {
    outputs["package"] = report.version ? Json(report.version->content.name.text()) : Json(nullptr);
    outputs["version"] = report.version ? Json(report.version->version.text()) : Json(nullptr);
  }
  if (evaluates(plan.request.type)) {
    // A score without the version that it is about would mislead.
    const bool scored = is_final(report.state) && made != nullptr && made->evaluation;
    outputs["score"] = scored ? Json(made->evaluation->score) : Json(nullptr);
  }
  const double start = report.started_at.seconds();
  const double end = report.ended_at.seconds();
  return {
      {"parameters", {{"pipeline", plan.name.text()}, {"inputs", std::move(inputs)}, {"env", plan.environment}}},
      {"run_summary",
       {{"execution_time", static_cast<double>(report.ended_at.microseconds - report.started_at.microseconds) / 1e6},
        {"start_at", start},
        {"end_at", end},
        {"outputs", std::move(outputs)}}},
      {"traceability", traceability(report)}};
}

}  // namespace trainyard
