// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/cyclonedx_bom.hpp"

#include <algorithm>

#include "runner/core/documents/identifiers.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr const char* kOwn = "trainyard:";

Json hashes_of(const Digest& digest) {
  Json hash = {{"alg", "SHA-256"}, {"content", digest.hex()}};
  return Json::array({std::move(hash)});
}

// Values of properties are texts, whatever they are.
void add_property(Json& properties, const std::string& name, const std::string& value) {
  properties.push_back({{"name", kOwn + name}, {"value", value}});
}

Json component_of(const LineageVersion& version) {
  Json json = {{"type", "machine-learning-model"},
               {"bom-ref", node_id(version)},
               {"name", version.package.text()},
               {"version", version.version.text()},
               {"purl", package_url(version.package, version.version)}};
  Json properties = Json::array();
  if (version.state != LineageVersion::State::there)
    add_property(properties, "state", std::string(name_of(version.state)));
  if (const auto tree = version.tree()) add_property(properties, "tree", tree->digest.hex());
  if (const auto zip = version.zip()) json["hashes"] = hashes_of(zip->digest);
  if (!properties.empty()) json["properties"] = std::move(properties);
  return json;
}

Json metric(const std::string& type, const std::string& value, const std::string& slice) {
  Json json = {{"type", type}, {"value", value}};
  if (!slice.empty()) json["slice"] = slice;
  return json;
}

// What was measured on the evaluation data of a run, or on the one dataset that it has.
std::string slice_of(const RunRecord& record) { return record.inputs.empty() ? "" : name_of(record.inputs.back()); }

Json metrics_of(const Lineage& lineage, const LineageRun* maker) {
  Json metrics = Json::array();
  if (maker != nullptr && maker->record) {
    for (const auto& [name, summary] : maker->record->metrics.items())
      metrics.push_back(metric(name, exact_text(summary.at("last")), ""));
    if (maker->record->score)
      metrics.push_back(metric("score", exact_text(*maker->record->score), slice_of(*maker->record)));
  }
  for (const LineageRun* const run : lineage.evaluations_of(lineage.versions().front())) {
    if (run->record->score) metrics.push_back(metric("score", exact_text(*run->record->score), slice_of(*run->record)));
  }
  return metrics;
}

Json model_card(const Lineage& lineage, const LineageRun* maker) {
  Json card = Json::object();
  Json datasets = Json::array();
  for (const LineageDataset* const dataset : lineage.training_data()) datasets.push_back({{"ref", node_id(*dataset)}});
  if (!datasets.empty()) card["modelParameters"] = {{"datasets", std::move(datasets)}};
  if (Json metrics = metrics_of(lineage, maker); !metrics.empty())
    card["quantitativeAnalysis"] = {{"performanceMetrics", std::move(metrics)}};
  return card;
}

Json model_of(const Lineage& lineage, const LineageRun* maker) {
  const LineageVersion& version = lineage.versions().front();
  Json model = component_of(version);
  Json ancestors = Json::array();
  for (std::size_t i = 1; i < lineage.versions().size(); ++i) ancestors.push_back(component_of(lineage.versions()[i]));
  if (!ancestors.empty()) model["pedigree"] = {{"ancestors", std::move(ancestors)}};
  if (Json card = model_card(lineage, maker); !card.empty()) model["modelCard"] = std::move(card);
  if (maker == nullptr) return model;
  Json& properties = model["properties"];
  add_property(properties, "run", maker->run.text());
  if (!maker->record) return model;
  for (const auto& [name, value] : maker->record->environment) add_property(properties, "parameter:" + name, value);
  return model;
}

Json bom_data(const LineageDataset& dataset) {
  const std::string digest = dataset.tree.digest.hex();
  const std::string name = dataset.names.empty() ? "data " + digest.substr(0, 12) : *dataset.names.begin();
  Json contents = {{"type", "dataset"}, {"name", name}};
  for (const auto& origin : dataset.origins) {
    if (origin.kind == DataSource::Kind::dataset) continue;
    contents["contents"] = {{"url", names_bucket(origin.source) ? origin.source : file_url(origin.source)}};
    break;
  }
  Json properties = Json::array();
  for (const auto& origin : dataset.origins) add_property(properties, "source", origin.source);
  add_property(properties, "files", std::to_string(dataset.tree.files));
  add_property(properties, "bytes", std::to_string(dataset.tree.bytes));
  add_property(properties, "kept", dataset.kept() ? "true" : "false");
  return {{"type", "data"},
          {"bom-ref", node_id(dataset)},
          {"name", name},
          {"version", "sha256:" + digest},
          {"hashes", hashes_of(dataset.tree.digest)},
          {"data", Json::array({std::move(contents)})},
          {"properties", std::move(properties)}};
}

Instant time_of(const Lineage& lineage) {
  Instant time;
  for (const LineageVersion& version : lineage.versions()) {
    if (version.record) time = std::max(time, version.record->content.created_at);
  }
  for (const LineageRun& run : lineage.runs()) {
    if (run.record) time = std::max(time, run.record->ended_at);
  }
  return time;
}

}  // namespace

Json cyclonedx_bom(const Lineage& lineage) {
  const LineageRun* const maker = lineage.maker_of(lineage.versions().front());
  Json metadata = {{"timestamp", time_of(lineage).text()}, {"component", model_of(lineage, maker)}};
  if (maker != nullptr && maker->record) {
    Json tool = {{"type", "application"}, {"name", "trainyard"}, {"version", runner_version(maker->record->runner)}};
    metadata["tools"]["components"] = Json::array({std::move(tool)});
  }
  Json components = Json::array();
  for (const auto& [digest, dataset] : lineage.datasets()) components.push_back(bom_data(dataset));
  Json depends_on = Json::array();
  for (const LineageDataset* const dataset : lineage.training_data()) depends_on.push_back(node_id(*dataset));
  Json dependency = {{"ref", node_id(lineage.versions().front())}, {"dependsOn", std::move(depends_on)}};
  Json bom = {{"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
              {"bomFormat", "CycloneDX"},
              {"specVersion", "1.6"},
              {"version", 1},
              {"metadata", std::move(metadata)},
              {"components", std::move(components)},
              {"dependencies", Json::array({std::move(dependency)})}};
  bom["serialNumber"] = uuid_urn(sha256(canonical(bom)));
  return bom;
}

}  // namespace trainyard
