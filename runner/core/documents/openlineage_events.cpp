// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/openlineage_events.hpp"

#include "runner/core/documents/identifiers.hpp"

namespace trainyard {

namespace {

constexpr const char* kEventSchema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
constexpr const char* kOwnFacetSchema = "urn:trainyard:schema:openlineage-run-facet:1";

std::string facet_schema(const std::string& version, const std::string& name) {
  return "https://openlineage.io/spec/facets/" + version + "/" + name + ".json#/$defs/" + name;
}

// Writes the events of one run.
class Events {
 public:
  explicit Events(const RunRecord& record)
      : record_(record), producer_(runner_uri(record.runner)), here_("trainyard://" + record.host) {}

  [[nodiscard]] Json start() const { return event("START", record_.started_at, beginning_facets(), Json::array()); }

  [[nodiscard]] Json end() const {
    Json facets = beginning_facets();
    facets["trainyard_run"] = own_facet();
    if (record_.outcome.reason != RunReason::ok)
      facets["errorMessage"] =
          facet("1-0-1", "ErrorMessageRunFacet",
                {{"message", std::string(name_of(record_.outcome.reason)) + ": " + record_.outcome.message},
                 {"programmingLanguage", record_.runtime == Runtime::python ? "Python" : "C++"}});
    return event(terminal_type(), record_.ended_at, std::move(facets), outputs());
  }

 private:
  [[nodiscard]] const char* terminal_type() const {
    switch (record_.outcome.status()) {
      case RunStatus::successful: return "COMPLETE";
      case RunStatus::killed: return "ABORT";
      default: return "FAIL";
    }
  }

  [[nodiscard]] Json event(const char* type, Instant time, Json run_facets, Json outputs) const {
    return {{"eventType", type},
            {"eventTime", time.text()},
            {"producer", producer_},
            {"schemaURL", kEventSchema},
            {"run", {{"runId", record_.run.text()}, {"facets", std::move(run_facets)}}},
            {"job",
             {{"namespace", here_},
              {"name", record_.parent.package.text() + "." + std::string(name_of(record_.type))},
              {"facets", {{"jobType", job_type()}}}}},
            {"inputs", inputs()},
            {"outputs", std::move(outputs)}};
  }

  [[nodiscard]] Json facet(const std::string& version, const std::string& name, Json content) const {
    content["_producer"] = producer_;
    content["_schemaURL"] = facet_schema(version, name);
    return content;
  }

  [[nodiscard]] Json job_type() const {
    return facet("2-0-4", "JobTypeJobFacet",
                 {{"processingType", "BATCH"},
                  {"integration", "TRAINYARD"},
                  {"jobType", record_.type == RunType::evaluation ? "EVALUATION" : "TRAINING"}});
  }

  [[nodiscard]] Json beginning_facets() const {
    Json parameters = Json::array();
    for (const auto& [name, value] : record_.environment) parameters.push_back({{"key", name}, {"value", value}});
    Json facets = {
        {"executionParameters", facet("1-0-0", "ExecutionParametersRunFacet", {{"parameters", std::move(parameters)}})},
        {"processing_engine", facet("1-1-1", "ProcessingEngineRunFacet",
                                    {{"name", "trainyard"}, {"version", runner_version(record_.runner)}})}};
    if (record_.tags.empty()) return facets;
    Json tags = Json::array();
    for (const auto& [name, value] : record_.tags)
      tags.push_back({{"key", name}, {"value", value}, {"source", "USER"}});
    facets["tags"] = facet("1-0-0", "TagsRunFacet", {{"tags", std::move(tags)}});
    return facets;
  }

  [[nodiscard]] static Json version_json(const RecordedVersion& version) {
    return {{"package", version.package.text()},
            {"version", version.version.text()},
            {"tree", to_json(version.tree)},
            {"zip", to_json(version.zip)}};
  }

  [[nodiscard]] Json own_facet() const {
    return {{"_producer", producer_},
            {"_schemaURL", kOwnFacetSchema},
            {"name", record_.name.text()},
            {"type", name_of(record_.type)},
            {"status", name_of(record_.outcome.status())},
            {"reason", name_of(record_.outcome.reason)},
            {"experiment", record_.experiment ? Json(record_.experiment->text()) : Json(nullptr)},
            {"seed", record_.seed ? Json(*record_.seed) : Json(nullptr)},
            {"score", record_.score ? Json(*record_.score) : Json(nullptr)},
            {"metrics", record_.metrics},
            {"parent", version_json(record_.parent)},
            {"version", record_.version ? version_json(*record_.version) : Json(nullptr)}};
  }

  [[nodiscard]] Json dataset(const std::string& space, const std::string& name, const std::string& version) const {
    Json json = {{"namespace", space}, {"name", name}, {"facets", Json::object()}};
    if (!version.empty())
      json["facets"]["version"] = facet("1-0-1", "DatasetVersionDatasetFacet", {{"datasetVersion", version}});
    return json;
  }

  // As OpenLineage names datasets ("Naming Conventions"): a bucket is a namespace.
  [[nodiscard]] Json given(const std::string& source, const std::string& version) const {
    if (!names_bucket(source)) return dataset("file", source, version);
    const std::string place = source.substr(0, source.find('?'));
    const std::size_t slash = place.find('/', place.find("//") + 2);
    return dataset(place.substr(0, slash), slash == std::string::npos ? "/" : place.substr(slash + 1), version);
  }

  [[nodiscard]] Json inputs() const {
    Json list = Json::array();
    list.push_back(package(record_.parent));
    list.back()["inputFacets"]["inputStatistics"] = statistics("InputStatisticsInputDatasetFacet", record_.parent.tree);
    for (const RecordedInput& input : record_.inputs) {
      const std::string version = input.tree ? "sha256:" + input.tree->digest.hex() : "";
      Json json = input.dataset ? dataset(here_, "datasets/" + input.dataset->name.text(), version)
                                : given(input.source, version);
      if (input.tree)
        json["inputFacets"]["inputStatistics"] = statistics("InputStatisticsInputDatasetFacet", *input.tree);
      list.push_back(std::move(json));
    }
    return list;
  }

  [[nodiscard]] Json outputs() const {
    Json list = Json::array();
    if (record_.version) {
      list.push_back(package(*record_.version));
      list.back()["outputFacets"]["outputStatistics"] =
          statistics("OutputStatisticsOutputDatasetFacet", record_.version->tree);
    }
    if (record_.artifacts && record_.artifacts_folder) {
      list.push_back(dataset("file", *record_.artifacts_folder, "sha256:" + record_.artifacts->digest.hex()));
      list.back()["outputFacets"]["outputStatistics"] =
          statistics("OutputStatisticsOutputDatasetFacet", *record_.artifacts);
    }
    return list;
  }

  [[nodiscard]] Json package(const RecordedVersion& version) const {
    return dataset(here_, "packages/" + version.package.text(), version.version.text());
  }

  [[nodiscard]] Json statistics(const std::string& name, const TreeSummary& tree) const {
    return facet(name.starts_with("Input") ? "1-0-0" : "1-0-2", name,
                 {{"fileCount", tree.files}, {"size", tree.bytes}});
  }

  const RunRecord& record_;
  std::string producer_;
  std::string here_;
};

}  // namespace

std::vector<Json> openlineage_events(const RunRecord& record) {
  const Events events(record);
  return {events.start(), events.end()};
}

std::string openlineage_lines(const RunRecord& record) {
  std::string lines;
  for (const Json& event : openlineage_events(record)) lines += canonical(event) + "\n";
  return lines;
}

std::string openlineage_lines(const Lineage& lineage) {
  std::string lines;
  for (const LineageRun& run : lineage.runs()) {
    if (run.record) lines += openlineage_lines(*run.record);
  }
  return lines;
}

}  // namespace trainyard
