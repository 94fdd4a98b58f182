// SPDX-License-Identifier: Apache-2.0
#include "runner/core/version_difference.hpp"

#include <algorithm>

#include "runner/core/tree_difference_json.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kVersionDifferenceSchema = "trainyard.version-difference/1";

ComparedSection section_of(std::string name, const Facts& before, const Facts& after) {
  ComparedSection section{std::move(name), Comparison::equal, {}, different_facts(before, after), {}};
  if (!section.facts.empty()) section.verdict = Comparison::different;
  return section;
}

ComparedSection unknown(std::string name, std::string why) {
  return {std::move(name), Comparison::unknown, std::move(why), {}, {}};
}

std::string why_no_run(const VersionSide& side) {
  if (!side.record.content.run) return side.text() + " was uploaded, so no run tells of it";
  return "the run that made " + side.text() + " is gone";
}

// The section as the runs of both tell of it, else that they cannot.
template <class Compare>
ComparedSection of_runs(const std::string& name, const VersionSide& before, const VersionSide& after,
                        const Compare& compare) {
  if (before.run && after.run) return compare(*before.run, *after.run);
  if (before.record == after.record) return {name, Comparison::equal, {}, {}, {}};
  if (!before.record.content.run && !after.record.content.run)
    return {name, Comparison::equal, "neither was made by a run", {}, {}};
  return unknown(name, why_no_run(before.run ? after : before));
}

const RecordedInput* input_of(const VersionSide& side, const std::string& name) {
  if (!side.run) return nullptr;
  const auto& inputs = side.run->inputs;
  const auto found =
      std::find_if(inputs.begin(), inputs.end(), [&](const RecordedInput& input) { return input.input == name; });
  return found == inputs.end() ? nullptr : &*found;
}

Facts facts_of(const RecordedInput* input) {
  if (input == nullptr) return {};
  return {{"source", input->dataset ? input->dataset->text() : input->source},
          {"kind", name_of(input->kind)},
          {"tree", input->tree ? Json(input->tree->digest.hex()) : Json(nullptr)},
          {"files", input->tree ? Json(input->tree->files) : Json(nullptr)},
          {"bytes", input->tree ? Json(input->tree->bytes) : Json(nullptr)}};
}

// Where it came from says nothing; what it is does.
ComparedSection compare_data(const std::string& name, const VersionSide& before, const VersionSide& after) {
  return of_runs(name, before, after, [&](const RunRecord&, const RunRecord&) -> ComparedSection {
    const RecordedInput* const a = input_of(before, name);
    const RecordedInput* const b = input_of(after, name);
    if (a == nullptr && b == nullptr) return {name, Comparison::equal, {}, {}, {}};
    if (a != nullptr && b != nullptr && a->tree && b->tree && a->tree->digest == b->tree->digest)
      return {name, Comparison::equal, {}, {}, {}};
    ComparedSection section = section_of(name, facts_of(a), facts_of(b));
    section.verdict = Comparison::different;
    if (a == nullptr || b == nullptr) return section;
    const auto tree_a = before.data.find(name);
    const auto tree_b = after.data.find(name);
    if (tree_a != before.data.end() && tree_b != after.data.end()) {
      section.files = DifferentFiles::of(difference(tree_a->second, tree_b->second));
    } else {
      section.why = "the list of the files of " + (tree_a == before.data.end() ? before : after).text() +
                    "'s data is no longer in the store";
    }
    return section;
  });
}

Facts parameters_of(const RunRecord& run) {
  Facts facts{{"run type", name_of(run.type)}};
  for (const auto& [name, value] : run.environment) facts[name] = value;
  for (const auto& [name, value] : run.hyperparameters) facts[name] = json_of(value);
  for (const std::string& name : run.secrets) facts[name] = "(secret)";
  return facts;
}

Facts last_metrics_of(const RunRecord& run) {
  Facts facts;
  for (const auto& [name, summary] : run.metrics.items()) facts[name] = summary.value("last", Json(nullptr));
  return facts;
}

Facts manifest_facts(const Manifest& manifest) {
  Facts facts;
  const Json document = to_json(manifest);
  for (const auto& [key, value] : document.items()) {
    if (key != "hyperparameters") facts[key] = value;
  }
  for (const Json& item : document.at("hyperparameters"))
    facts["hyperparameter " + item.at("name").get<std::string>()] = item;
  return facts;
}

Facts abi_facts(const PackageAbi& abi) { return to_json(abi).get<Facts>(); }

ComparedSection of_files(std::string name, std::vector<TreeDifference> differences) {
  if (differences.empty()) return {std::move(name), Comparison::equal, {}, {}, {}};
  return {std::move(name), Comparison::different, {}, {}, DifferentFiles::of(std::move(differences))};
}

void add_files(const VersionSide& before, const VersionSide& after, const std::optional<std::set<RelPath>>& learned,
               std::vector<ComparedSection>& sections) {
  std::vector<TreeDifference> code;
  std::vector<TreeDifference> model;
  for (TreeDifference& one : difference(before.tree, after.tree))
    (learned && learned->contains(one.path) ? model : code).push_back(std::move(one));
  const bool all_equal = code.empty() && model.empty();
  sections.push_back(of_files("code", std::move(code)));
  sections.push_back(learned || all_equal
                         ? of_files("model", std::move(model))
                         : unknown("model", "a version between " + before.text() + " and " + after.text() +
                                                " is gone, so what runs have written is told with the code"));
}

}  // namespace

std::string_view name_of(Comparison comparison) {
  static constexpr std::string_view kNames[] = {"equal", "different", "unknown"};
  return kNames[static_cast<std::size_t>(comparison)];
}

DifferentFiles DifferentFiles::of(std::vector<TreeDifference> differences) {
  DifferentFiles files;
  for (const TreeDifference& one : differences) {
    ++(one.kind == TreeDifference::Kind::added     ? files.added
       : one.kind == TreeDifference::Kind::removed ? files.removed
                                                   : files.changed);
  }
  if (differences.size() > kFirst) differences.erase(differences.begin() + kFirst, differences.end());
  files.first = std::move(differences);
  return files;
}

Comparison VersionDifference::verdict() const {
  Comparison verdict = Comparison::equal;
  for (const ComparedSection& section : sections) {
    if (section.verdict == Comparison::different) return Comparison::different;
    if (section.verdict == Comparison::unknown) verdict = Comparison::unknown;
  }
  return verdict;
}

std::vector<DifferentFact> different_facts(const Facts& before, const Facts& after) {
  Facts all = before;
  all.insert(after.begin(), after.end());
  const auto value = [](const Facts& facts, const std::string& name) {
    const auto found = facts.find(name);
    return found == facts.end() ? Json(nullptr) : found->second;
  };
  std::vector<DifferentFact> different;
  for (const auto& [name, unused] : all) {
    DifferentFact fact{name, value(before, name), value(after, name)};
    if (fact.before != fact.after) different.push_back(std::move(fact));
  }
  return different;
}

Facts environment_of(const RunRecord& run) {
  Facts facts{{"runner", run.runner}, {"host", run.host}, {"gpu", run.gpu}};
  if (run.python) {
    facts["python interpreter"] = run.python->interpreter;
    facts["python dependencies"] = name_of(run.python->dependencies);
    facts["python version"] = run.python->version ? Json(*run.python->version) : Json(nullptr);
  }
  const Json& attempts = run.document.at("traceability").at("attempts");
  const Json isolation = attempts.empty() ? Json(nullptr) : attempts.back().at("isolation");
  if (isolation.is_object()) {
    for (const auto& [key, value] : isolation.items()) facts["isolation " + key] = value;
  }
  return facts;
}

VersionDifference compare_versions(const VersionSide& before, const VersionSide& after,
                                   const std::optional<std::set<RelPath>>& learned) {
  VersionDifference result{before.text(), after.text(), {}};
  auto& sections = result.sections;
  const auto by_runs = [&](const std::string& name, Facts (*facts)(const RunRecord&)) {
    sections.push_back(of_runs(name, before, after, [&](const RunRecord& a, const RunRecord& b) {
      return section_of(name, facts(a), facts(b));
    }));
  };
  sections.push_back(compare_data("train_data", before, after));
  if (input_of(before, "evaluation_data") != nullptr || input_of(after, "evaluation_data") != nullptr)
    sections.push_back(compare_data("evaluation_data", before, after));
  by_runs("parameters", parameters_of);
  add_files(before, after, learned, sections);
  sections.push_back(section_of("manifest", manifest_facts(before.manifest), manifest_facts(after.manifest)));
  sections.push_back(section_of("abi", abi_facts(before.record.content.abi), abi_facts(after.record.content.abi)));
  by_runs("environment", environment_of);
  by_runs("metrics", last_metrics_of);
  const auto score_of = [](const VersionSide& side) -> Facts {
    return {{"score", side.record.content.score ? Json(*side.record.content.score) : Json(nullptr)}};
  };
  sections.push_back(section_of("score", score_of(before), score_of(after)));
  return result;
}

Json to_json(const std::vector<DifferentFact>& facts) {
  Json list = Json::array();
  for (const DifferentFact& fact : facts)
    list.push_back({{"name", fact.name}, {"before", fact.before}, {"after", fact.after}});
  return list;
}

Json to_json(const VersionDifference& difference) {
  Json sections = Json::array();
  for (const ComparedSection& section : difference.sections) {
    Json files = nullptr;
    if (section.files) {
      files = {{"added", section.files->added},
               {"removed", section.files->removed},
               {"changed", section.files->changed},
               {"first", differences_json(section.files->first)}};
    }
    sections.push_back({{"section", section.name},
                        {"verdict", name_of(section.verdict)},
                        {"why", section.why.empty() ? Json(nullptr) : Json(section.why)},
                        {"facts", to_json(section.facts)},
                        {"files", std::move(files)}});
  }
  return {{"schema", kVersionDifferenceSchema},
          {"before", difference.before},
          {"after", difference.after},
          {"verdict", name_of(difference.verdict())},
          {"sections", std::move(sections)}};
}

}  // namespace trainyard
