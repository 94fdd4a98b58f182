// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/mlflow_run.hpp"

#include <algorithm>
#include <cmath>

#include "runner/core/documents/identifiers.hpp"
#include "runner/core/worker_event.hpp"
#include "storage/values/parameter.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kScheme = "mlflow:";
// Room for the run's id and what surrounds the items.
constexpr std::size_t kEnvelopeBytes = 1000;

std::int64_t milliseconds(Instant time) { return time.microseconds / 1000; }

std::string fitted_value(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::string end = "…sha256:" + sha256(text).hex();
  std::size_t kept = most - end.size();
  while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0U) == 0x80U) --kept;  // at a border of UTF-8
  return text.substr(0, kept) + end;
}

// What MLflow takes for a key: letters, digits, and "_-. /"; and no path that is not in its shortest form.
std::string key_of(const std::string& name) {
  std::string key;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_-. ").find(c) != std::string_view::npos;
    key += plain ? c : '_';
  }
  if (key.empty() || key == "." || key == "..") key = "_" + key;
  if (key.size() <= mlflow_limits::kKeyBytes) return key;
  return key.substr(0, mlflow_limits::kKeyBytes - 17) + "-" + sha256(name).hex().substr(0, 16);
}

Json pair(const std::string& key, const std::string& value) { return {{"key", key}, {"value", value}}; }

// Puts items into requests that are as large as they may be.
class Batches {
 public:
  void add(const char* list, Json item) {
    const std::size_t bytes = item.dump().size() + 1;
    const bool metric = list == kMetrics;
    const std::size_t most = metric                ? mlflow_limits::kItems
                             : list == kParameters ? mlflow_limits::kParameters
                                                   : mlflow_limits::kTags - 1;
    const bool fits = !batches_.empty() && batches_.back().at(list).size() < most &&
                      items_ + 1 < mlflow_limits::kItems && bytes_ + bytes <= mlflow_limits::kRequestBytes;
    if (!fits) begin();
    batches_.back()[list].push_back(std::move(item));
    ++items_;
    bytes_ += bytes;
  }
  // One at least.
  std::vector<Json> take() && {
    if (batches_.empty()) begin();
    for (std::size_t i = 0; i < batches_.size(); ++i)
      batches_[i]["tags"].push_back(pair(kMlflowBatchesTag, std::to_string(i + 1)));
    return std::move(batches_);
  }

  static constexpr const char* kMetrics = "metrics";
  static constexpr const char* kParameters = "params";
  static constexpr const char* kTags = "tags";

 private:
  void begin() {
    batches_.push_back({{kMetrics, Json::array()}, {kParameters, Json::array()}, {kTags, Json::array()}});
    items_ = 0;
    bytes_ = kEnvelopeBytes;
  }

  std::vector<Json> batches_;
  std::size_t items_ = 0;  // of the last one, as is the next
  std::size_t bytes_ = 0;
};

std::map<std::string, std::string> mlflow_parameters(const RunRecord& run) {
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : run.environment) {
    if (name.ends_with("_directory") || name == "save_training_data" || name == "save_test_data") continue;
    parameters[name] = value;
  }
  for (const auto& [name, value] : run.hyperparameters) parameters[name] = text_of(value);
  return parameters;
}

std::map<std::string, std::string> tags_of(const RunRecord& run) {
  std::map<std::string, std::string> tags;
  for (const auto& [name, value] : run.tags) {
    const bool reserved = name.starts_with("mlflow.") || name.starts_with("trainyard.");
    tags[(reserved ? "tag." : "") + name] = value;
  }
  tags["mlflow.source.type"] = "JOB";
  tags["mlflow.source.name"] = run.parent.text();
  tags[kMlflowRunTag] = run.run.text();
  tags["trainyard.type"] = name_of(run.type);
  tags["trainyard.package"] = run.parent.package.text();
  tags["trainyard.parent"] = run.parent.version.text();
  tags["trainyard.parent.sha256"] = run.parent.tree.digest.hex();
  tags["trainyard.runner"] = run.runner;
  tags["trainyard.host"] = run.host;
  if (run.seed) tags["trainyard.seed"] = std::to_string(*run.seed);
  if (run.experiment) tags["trainyard.experiment"] = run.experiment->text();
  if (run.artifacts) tags["trainyard.artifacts.sha256"] = run.artifacts->digest.hex();
  for (const RecordedInput& input : run.inputs) {
    if (input.tree) tags["trainyard." + input.input + ".sha256"] = input.tree->digest.hex();
  }
  if (run.version) {
    tags[kMlflowVersionTag] = run.version->version.text();
    tags["trainyard.tree.sha256"] = run.version->tree.digest.hex();
    tags["trainyard.zip.sha256"] = run.version->zip.digest.hex();
  }
  return tags;
}

void add_metrics(const RunRecord& run, const MetricSeries& series, Batches& batches) {
  const auto add = [&](const std::string& key, double value, std::int64_t step, Instant time) {
    batches.add(Batches::kMetrics, {{"key", key}, {"value", value}, {"timestamp", milliseconds(time)}, {"step", step}});
  };
  for (const auto& [name, points] : series) {
    std::string not_finite;
    for (const MetricPoint& point : points) {
      if (std::isfinite(point.value)) {
        add(key_of(name), point.value, point.step, point.time);
      } else {
        not_finite += (not_finite.empty() ? "" : ", ") + exact_text(metric_value(point.value)) + " at step " +
                      std::to_string(point.step);
      }
    }
    if (!not_finite.empty())
      batches.add(Batches::kTags,
                  pair(key_of("trainyard.not_finite." + name), fitted_value(not_finite, mlflow_limits::kTagBytes)));
  }
  if (run.score && !series.contains("score")) add("score", *run.score, 0, run.ended_at);
}

Json dataset_of(const RecordedInput& input) {
  Json source = {{"uri", input.source},
                 {"kind", name_of(input.kind)},
                 {"sha256", input.tree->digest.hex()},
                 {"files", input.tree->files},
                 {"bytes", input.tree->bytes}};
  if (input.bucket) source["listing_sha256"] = input.bucket->listing.hex();
  std::string text = source.dump();
  if (text.size() > mlflow_limits::kDatasetSourceBytes) {
    source["uri"] = fitted_value(input.source, mlflow_limits::kDatasetSourceBytes / 8);
    text = source.dump();
  }
  const char* const context = input.input == "train_data" ? "training" : "evaluation";
  return {{"tags", Json::array({pair("mlflow.data.context", context)})},
          {"dataset",
           {{"name", fitted_value(name_of(input), mlflow_limits::kDatasetNameBytes)},
            {"digest", input.tree->digest.hex().substr(0, 32)},
            {"source_type", names_bucket(input.source) ? "s3"
                            : input.dataset            ? "trainyard"
                                                       : "local"},
            {"source", text}}}};
}

std::string status_of(const RunRecord& run) {
  switch (run.outcome.status()) {
    case RunStatus::successful: return "FINISHED";
    case RunStatus::killed: return "KILLED";
    default: return "FAILED";
  }
}

// MLflow keeps "latest" and "v7" for itself.
Result<std::string> alias_of(const VersionLabel& label) {
  const std::string folded = folded_case(label.text());
  const bool number = folded.size() > 1 && folded.front() == 'v' &&
                      std::all_of(folded.begin() + 1, folded.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (folded != "latest" && !number) return label.text();
  return fail(Errc::invalid, "MLflow takes no alias '" + label.text() + "'; choose another label");
}

}  // namespace

bool MlflowAddress::is_one(std::string_view text) { return text.starts_with(kScheme); }

Result<MlflowAddress> MlflowAddress::parse(std::string_view text) {
  if (text.find('@') != std::string_view::npos)
    return fail(Errc::invalid,
                "the address of an MLflow server holds no '@', because no user or password belongs in it; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN");
  const std::string_view url = text.substr(std::min(kScheme.size(), text.size()));
  const std::size_t host = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  const std::size_t slash = std::min(url.find('/', host), url.size());
  const bool plain = url.find_first_of("?# \t\n") == std::string_view::npos;
  if (!is_one(text) || host == 0 || slash == host || !plain)
    return fail(Errc::invalid, "'" + std::string(text) +
                                   "' is no address of an MLflow server, such as 'mlflow:http://127.0.0.1:5000' or "
                                   "'mlflow:https://mlflow.example.com/experiment'");
  std::string_view experiment = url.substr(slash);
  while (experiment.starts_with('/')) experiment.remove_prefix(1);
  while (experiment.ends_with('/')) experiment.remove_suffix(1);
  return MlflowAddress{std::string(url.substr(0, slash)), std::string(experiment)};
}

std::string MlflowAddress::text() const {
  return std::string(kScheme) + server + (experiment.empty() ? "" : "/" + experiment);
}

Result<MlflowRun> mlflow_run(const RunRecord& run, const MetricSeries& series, const std::string& experiment,
                             const std::string& source, const std::optional<VersionLabel>& label) {
  if (!run.version)
    return fail(Errc::invalid, "the run " + run.name.text() + " made no version, so there is no model to register");
  MlflowRun told;
  if (label) told.alias = TRY(alias_of(*label));
  told.experiment = !experiment.empty() ? experiment
                    : run.experiment    ? run.experiment->text()
                                        : run.parent.package.text();
  told.run = run.run.text();
  told.create = {{"start_time", milliseconds(run.started_at)},
                 {"run_name", run.name.text()},
                 {"tags", Json::array({pair(kMlflowRunTag, run.run.text())})}};
  Batches batches;
  for (const auto& [name, value] : tags_of(run))
    batches.add(Batches::kTags, pair(key_of(name), fitted_value(value, mlflow_limits::kTagBytes)));
  for (const auto& [name, value] : mlflow_parameters(run))
    batches.add(Batches::kParameters, pair(key_of(name), fitted_value(value, mlflow_limits::kParameterBytes)));
  add_metrics(run, series, batches);
  told.batches = std::move(batches).take();
  told.datasets = Json::array();
  for (const RecordedInput& input : run.inputs) {
    if (input.tree) told.datasets.push_back(dataset_of(input));
  }
  told.status = status_of(run);
  told.end_time = milliseconds(run.ended_at);
  told.model = run.version->package.text();
  told.model_version = {{"name", told.model},
                        {"source", source},
                        {"tags", Json::array({pair(kMlflowVersionTag, run.version->version.text()),
                                              pair("trainyard.tree.sha256", run.version->tree.digest.hex()),
                                              pair("trainyard.zip.sha256", run.version->zip.digest.hex())})}};
  return told;
}

}  // namespace trainyard
