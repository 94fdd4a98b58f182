// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/lineage_json.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kLineageSchema = "trainyard.lineage/1";

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json version_json(const LineageVersion& version) {
  const auto tree = version.tree();
  const auto zip = version.zip();
  Json json = {{"id", node_id(version)},
               {"package", version.package.text()},
               {"version", version.version.text()},
               {"state", name_of(version.state)},
               {"message", text_or_null(version.why)},
               {"created_at", nullptr},
               {"change_log", nullptr},
               {"score", nullptr},
               {"parent", nullptr},
               {"run", nullptr},
               {"tree", tree ? to_json(*tree) : Json(nullptr)},
               {"zip", zip ? to_json(*zip) : Json(nullptr)}};
  if (!version.record) return json;
  const VersionDraft& content = version.record->content;
  json["created_at"] = content.created_at.text();
  json["change_log"] = content.change_log;
  json["score"] = or_null(content.score);
  if (content.parent) json["parent"] = content.parent->text();
  if (content.run) json["run"] = content.run->text();
  return json;
}

Json dataset_json(const std::optional<DatasetReference>& dataset) {
  return dataset ? Json(dataset->text()) : Json(nullptr);
}

Json input_json(const RecordedInput& input) {
  return {{"input", input.input},
          {"kind", name_of(input.kind)},
          {"source", input.source},
          {"dataset", dataset_json(input.dataset)},
          {"data", input.tree ? Json("data:" + input.tree->digest.hex()) : Json(nullptr)}};
}

Json record_json(const RunRecord& record) {
  Json inputs = Json::array();
  for (const RecordedInput& input : record.inputs) inputs.push_back(input_json(input));
  Json hyperparameters = Json::object();
  for (const auto& [name, value] : record.hyperparameters) hyperparameters[name] = json_of(value);
  return {{"name", record.name.text()},
          {"type", name_of(record.type)},
          {"status", name_of(record.outcome.status())},
          {"reason", name_of(record.outcome.reason)},
          {"started_at", record.started_at.text()},
          {"ended_at", record.ended_at.text()},
          {"parent", record.parent.text()},
          {"version", record.version ? Json(record.version->text()) : Json(nullptr)},
          {"inputs", std::move(inputs)},
          {"environment", record.environment},
          {"hyperparameters", std::move(hyperparameters)},
          {"seed", or_null(record.seed)},
          {"metrics", record.metrics},
          {"score", or_null(record.score)},
          {"runner", record.runner},
          {"host", record.host}};
}

Json run_json(const LineageRun& run) {
  return {{"id", node_id(run)},
          {"run", run.run.text()},
          {"state", name_of(run.state)},
          {"message", text_or_null(run.why)},
          {"record", run.record ? record_json(*run.record) : Json(nullptr)}};
}

Json data_json(const LineageDataset& dataset) {
  Json origins = Json::array();
  for (const auto& origin : dataset.origins)
    origins.push_back({{"kind", name_of(origin.kind)}, {"source", origin.source}});
  return {{"id", node_id(dataset)},
          {"tree", to_json(dataset.tree)},
          {"origins", std::move(origins)},
          {"snapshot", dataset.snapshot},
          {"datasets", dataset.names}};
}

}  // namespace

Json lineage_json(const Lineage& lineage) {
  Json versions = Json::array();
  Json runs = Json::array();
  Json data = Json::array();
  Json edges = Json::array();
  for (const LineageVersion& version : lineage.versions()) versions.push_back(version_json(version));
  for (const LineageRun& run : lineage.runs()) runs.push_back(run_json(run));
  for (const auto& [digest, dataset] : lineage.datasets()) data.push_back(data_json(dataset));
  for (const LineageEdge& edge : lineage.edges())
    edges.push_back({{"kind", name_of(edge.kind)}, {"from", edge.from}, {"to", edge.to}});
  return {{"schema", kLineageSchema},        {"of", lineage.versions().front().text()},
          {"versions", std::move(versions)}, {"runs", std::move(runs)},
          {"data", std::move(data)},         {"edges", std::move(edges)}};
}

}  // namespace trainyard
