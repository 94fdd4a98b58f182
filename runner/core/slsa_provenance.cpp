// SPDX-License-Identifier: Apache-2.0
#include "runner/core/slsa_provenance.hpp"

#include <cmath>

namespace trainyard {

namespace {

constexpr std::string_view kBuilder = "urn:trainyard:runner:local:1";
constexpr std::string_view kUpload = "urn:trainyard:build:upload:1";
constexpr std::string_view kTreeDocument = "trainyard.tree/1";

std::string build_type(RunType type) { return "urn:trainyard:build:" + std::string(name_of(type)) + ":1"; }

// All but what RFC 3986 leaves as it is in a path.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = "-._~/@";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += "0123456789ABCDEF"[byte >> 4U];
      encoded += "0123456789ABCDEF"[byte & 15U];
    }
  }
  return encoded;
}

// To the second, as SLSA has them.
std::string second_of(const Instant& time) { return time.text().substr(0, 19) + "Z"; }

Json digest_json(const Digest& digest) { return {{"sha256", digest.hex()}}; }

Json tree_resource(const std::string& name, const std::string& uri, const TreeSummary& tree) {
  return {{"name", name},
          {"uri", uri},
          {"digest", digest_json(tree.digest)},
          {"annotations", {{"digest_of", kTreeDocument}, {"files", tree.files}, {"bytes", tree.bytes}}}};
}

std::string version_uri(const RecordedVersion& version) { return "pkg:generic/" + version.text(); }

// A whole number that a double cannot hold, or a number that is none, would have no canonical JSON.
Json portable(const ParameterValue& value) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  const auto* const whole = std::get_if<std::int64_t>(&value);
  const auto* const real = std::get_if<double>(&value);
  const bool loses = whole != nullptr && (*whole > kExact || *whole < -kExact);
  if (loses || (real != nullptr && !std::isfinite(*real))) return text_of(value);
  return json_of(value);
}

Json external_parameters(const RunRecord& run) {
  Json parameters = {{"type", name_of(run.type)},
                     {"name", run.name.text()},
                     {"package", run.parent.text()},
                     {"environment", run.environment}};
  for (const RecordedInput& input : run.inputs) parameters[input.input] = input.source;
  return parameters;
}

Json internal_parameters(const RunRecord& run) {
  Json hyperparameters = Json::object();
  for (const auto& [name, value] : run.hyperparameters) hyperparameters[name] = portable(value);
  Json parameters = {{"runtime", name_of(run.runtime)},
                     {"abi", std::to_string(run.abi_major) + "." + std::to_string(run.abi_minor)},
                     {"plugin_builder", run.builder},
                     {"host", run.host},
                     {"gpu", run.gpu},
                     {"hyperparameters", std::move(hyperparameters)},
                     {"secrets", run.secrets},
                     {"tags", run.tags}};
  if (run.experiment) parameters["experiment"] = run.experiment->text();
  if (run.python) {
    parameters["python"] = {{"interpreter", run.python->interpreter},
                            {"dependencies", name_of(run.python->dependencies)}};
    if (run.python->version) parameters["python"]["version"] = *run.python->version;
  }
  return parameters;
}

Json dependencies_of(const RunRecord& run) {
  const std::string uri = version_uri(run.parent);
  Json list = Json::array();
  list.push_back({{"name", "parent.zip"}, {"uri", uri}, {"digest", digest_json(run.parent.zip.digest)}});
  list.push_back(tree_resource("parent", uri, run.parent.tree));
  for (const RecordedInput& input : run.inputs) list.push_back(resource_of(input));
  return list;
}

Json byproducts_of(const RunRecord& run, const Digest& results) {
  Json list = Json::array();
  list.push_back({{"name", "_results.json"}, {"digest", digest_json(results)}});
  if (run.artifacts)
    list.push_back(tree_resource("artifacts", "urn:trainyard:artifacts:" + run.run.text(), *run.artifacts));
  return list;
}

// {"trainyard": "0.1.0"} for "trainyard 0.1.0".
Json builder_version(const std::string& runner) {
  const std::size_t space = runner.rfind(' ');
  if (space == std::string::npos) return {{"trainyard", runner}};
  return {{runner.substr(0, space), runner.substr(space + 1)}};
}

}  // namespace

RecordedVersion recorded(const VersionRecord& version) {
  return {version.content.name, version.version, version.content.tree, version.content.zip};
}

std::vector<InTotoSubject> subjects_of(const RecordedVersion& version) {
  return {{version.package.text() + "-" + version.version.text() + ".zip", version.zip.digest},
          {version.text(), version.tree.digest}};
}

Json resource_of(const RecordedInput& input) {
  std::string uri = "file://" + percent_encoded(input.source);
  if (input.kind == DataSource::Kind::dataset) uri = "urn:trainyard:dataset:" + percent_encoded(input.source);
  if (names_bucket(input.source)) uri = input.source;
  if (input.tree) return tree_resource(input.input, uri, *input.tree);
  return {{"name", input.input}, {"uri", uri}};
}

InTotoStatement slsa_statement(const RunRecord& run, const Digest& results) {
  return {subjects_of(*run.version),
          std::string(kSlsaProvenance),
          {{"buildDefinition",
            {{"buildType", build_type(run.type)},
             {"externalParameters", external_parameters(run)},
             {"internalParameters", internal_parameters(run)},
             {"resolvedDependencies", dependencies_of(run)}}},
           {"runDetails",
            {{"builder", {{"id", kBuilder}, {"version", builder_version(run.runner)}}},
             {"metadata",
              {{"invocationId", run.run.text()},
               {"startedOn", second_of(run.started_at)},
               {"finishedOn", second_of(run.ended_at)}}},
             {"byproducts", byproducts_of(run, results)}}}}};
}

Json slsa_provenance(const RunRecord& run, const Digest& results) { return to_json(slsa_statement(run, results)); }

InTotoStatement slsa_statement(const VersionRecord& upload) {
  const RecordedVersion version = recorded(upload);
  const std::string time = second_of(upload.content.created_at);
  return {
      subjects_of(version),
      std::string(kSlsaProvenance),
      {{"buildDefinition",
        {{"buildType", kUpload},
         {"externalParameters", {{"package", version.text()}, {"change_log", upload.content.change_log}}},
         {"internalParameters", {{"plugin_builder", upload.content.abi.builder}}},
         {"resolvedDependencies", Json::array()}}},
       {"runDetails", {{"builder", {{"id", kBuilder}}}, {"metadata", {{"startedOn", time}, {"finishedOn", time}}}}}}};
}

}  // namespace trainyard
