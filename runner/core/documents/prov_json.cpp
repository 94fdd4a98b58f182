// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/prov_json.hpp"

#include "runner/core/documents/identifiers.hpp"

namespace trainyard {

namespace {

// Qualified names: "trainyard:version-digits-1.1", "trainyard:run-<id>", "trainyard:data-<digest>".
std::string qualified(const std::string& id) {
  std::string name = id;
  for (char& c : name) {
    if (c == ':' || c == '@') c = '-';
  }
  return "trainyard:" + name;
}

Json typed(const char* value, const char* type) { return {{"$", value}, {"type", type}}; }

Json entity_of(const LineageVersion& version) {
  Json json = {{"prov:type", typed("trainyard:PackageVersion", "prov:QUALIFIED_NAME")},
               {"prov:label", version.text()},
               {"trainyard:state", name_of(version.state)}};
  if (const auto tree = version.tree()) json["trainyard:tree"] = tree->digest.hex();
  if (const auto zip = version.zip()) json["trainyard:zip"] = zip->digest.hex();
  if (version.record && version.record->content.score)
    json["trainyard:score"] = exact_text(*version.record->content.score);
  return json;
}

Json entity_of(const LineageDataset& dataset) {
  Json origins = Json::array();
  for (const auto& origin : dataset.origins) origins.push_back(origin.source);
  return {{"prov:type", typed("trainyard:Dataset", "prov:QUALIFIED_NAME")},
          {"prov:label", "data " + dataset.tree.digest.hex().substr(0, 12)},
          {"prov:location", std::move(origins)},
          {"trainyard:tree", dataset.tree.digest.hex()},
          {"trainyard:files", std::to_string(dataset.tree.files)},
          {"trainyard:bytes", std::to_string(dataset.tree.bytes)}};
}

Json activity_of(const LineageRun& run) {
  Json json = {{"trainyard:state", name_of(run.state)}};
  if (!run.record) return json;
  const RunRecord& record = *run.record;
  json["prov:startTime"] = record.started_at.text();
  json["prov:endTime"] = record.ended_at.text();
  json["prov:label"] = record.name.text();
  json["prov:type"] = std::string(name_of(record.type));
  json["trainyard:status"] = std::string(name_of(record.outcome.status()));
  for (const auto& [name, value] : record.environment) json["trainyard:parameter-" + name] = value;
  if (record.score) json["trainyard:score"] = exact_text(*record.score);
  return json;
}

// Relations by names of their own: the first one is "_:used-1".
class Relations {
 public:
  explicit Relations(std::string name) : name_(std::move(name)) {}
  void add(Json relation) { all_["_:" + name_ + "-" + std::to_string(all_.size() + 1)] = std::move(relation); }
  void into(Json& document) const {
    if (!all_.empty()) document[name_] = all_;
  }

 private:
  std::string name_;
  Json all_ = Json::object();
};

}  // namespace

Json prov_json(const Lineage& lineage) {
  Json document = {{"prefix", {{"trainyard", "urn:trainyard:"}}}};
  for (const LineageVersion& version : lineage.versions())
    document["entity"][qualified(node_id(version))] = entity_of(version);
  for (const auto& [digest, dataset] : lineage.datasets())
    document["entity"][qualified(node_id(dataset))] = entity_of(dataset);
  Relations used("used");
  Relations generated("wasGeneratedBy");
  Relations derived("wasDerivedFrom");
  Relations associated("wasAssociatedWith");
  for (const LineageRun& run : lineage.runs()) {
    const std::string activity = qualified(node_id(run));
    document["activity"][activity] = activity_of(run);
    if (!run.record) continue;
    const std::string agent = "trainyard:runner-" + runner_version(run.record->runner);
    document["agent"][agent] = {{"prov:type", typed("prov:SoftwareAgent", "prov:QUALIFIED_NAME")},
                                {"prov:label", run.record->runner}};
    associated.add({{"prov:activity", activity}, {"prov:agent", agent}});
  }
  for (const LineageEdge& edge : lineage.edges()) {
    const std::string from = qualified(edge.from);
    const std::string to = qualified(edge.to);
    switch (edge.kind) {
      case LineageEdge::Kind::used: used.add({{"prov:activity", to}, {"prov:entity", from}}); break;
      case LineageEdge::Kind::generated: generated.add({{"prov:entity", to}, {"prov:activity", from}}); break;
      case LineageEdge::Kind::derived: derived.add({{"prov:generatedEntity", to}, {"prov:usedEntity", from}}); break;
    }
  }
  for (const Relations* const relations : {&used, &generated, &derived, &associated}) relations->into(document);
  return document;
}

}  // namespace trainyard
