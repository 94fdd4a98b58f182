// SPDX-License-Identifier: Apache-2.0
#include "runner/core/reproduction.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "runner/core/tree_difference_json.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kReproductionSchema = "trainyard.reproduction/1";

// None when one of them is no finite number and they are not the same.
std::optional<double> relative_difference(const Json& before, const Json& after) {
  if (before == after) return 0;
  if (!before.is_number() || !after.is_number()) return std::nullopt;
  const double a = before.get<double>();
  const double b = after.get<double>();
  // Divided first, so that what is far apart does not become infinite.
  const double greatest = std::max(std::abs(a), std::abs(b));
  return std::abs(a / greatest - b / greatest);
}

Likeness judged(bool same, const std::optional<double>& difference, double tolerance) {
  if (same) return Likeness::identical;
  return difference && *difference <= tolerance ? Likeness::within_tolerance : Likeness::drift;
}

JudgedNumber judge_metric(const std::string& name, const Json* before, const Json* after, double tolerance) {
  const auto last = [](const Json* summary) { return summary == nullptr ? Json(nullptr) : summary->at("last"); };
  JudgedNumber number{name, Likeness::drift, last(before), last(after), std::nullopt};
  if (before == nullptr || after == nullptr) return number;
  number.difference = 0;
  for (const char* const key : {"last", "min", "max"}) {
    const auto difference = relative_difference(before->at(key), after->at(key));
    number.difference =
        number.difference && difference ? std::optional(std::max(*number.difference, *difference)) : std::nullopt;
  }
  const bool as_often = before->at("count") == after->at("count") && before->at("last_step") == after->at("last_step");
  if (as_often) number.verdict = judged(*before == *after, number.difference, tolerance);
  return number;
}

Json judged_json(const JudgedFile& file) {
  return {{"path", file.path.text()},
          {"verdict", name_of(file.verdict)},
          {"before", entry_json(file.before)},
          {"after", entry_json(file.after)},
          {"bytes", file.bytes ? Json({{"first", file.bytes->first}, {"count", file.bytes->count}}) : Json(nullptr)}};
}

Json judged_json(const std::optional<JudgedTree>& tree) {
  if (!tree) return nullptr;
  Json files = Json::array();
  for (const JudgedFile& file : tree->files) files.push_back(judged_json(file));
  return {{"verdict", name_of(tree->verdict)},
          {"why", tree->why.empty() ? Json(nullptr) : Json(tree->why)},
          {"files", std::move(files)}};
}

Json judged_json(const JudgedNumber& number) {
  return {{"name", number.name},
          {"verdict", name_of(number.verdict)},
          {"before", number.before},
          {"after", number.after},
          {"difference", number.difference ? Json(*number.difference) : Json(nullptr)}};
}

Json judged_json(const std::optional<NamedRun>& run) {
  if (!run) return nullptr;
  return {{"run", run->id.text()}, {"name", run->name.text()}};
}

}  // namespace

std::string_view name_of(Likeness likeness) {
  static constexpr std::string_view kNames[] = {"identical", "within tolerance", "drift", "cannot"};
  return kNames[static_cast<std::size_t>(likeness)];
}

std::string_view name_of(MissingPart::What what) {
  static constexpr std::string_view kNames[] = {"run", "parent", "data", "secret", "machine", "outcome"};
  return kNames[static_cast<std::size_t>(what)];
}

Likeness Reproduction::verdict() const {
  if (!missing.empty()) return Likeness::cannot;
  Likeness worst = Likeness::identical;
  for (const auto* const tree : {&package, &artifacts})
    if (*tree) worst = std::max(worst, (*tree)->verdict);
  for (const JudgedNumber& metric : metrics) worst = std::max(worst, metric.verdict);
  return score ? std::max(worst, score->verdict) : worst;
}

JudgedTree judge_tree(const Tree& before, const Tree& after) {
  std::map<RelPath, JudgedFile> files;
  for (const TreeEntry& entry : before.entries())
    files.emplace(entry.path, JudgedFile{entry.path, Likeness::identical, entry, entry, std::nullopt});
  JudgedTree judged;
  for (const TreeDifference& one : difference(before, after)) {
    files.insert_or_assign(one.path, JudgedFile{one.path, Likeness::drift, one.before, one.after, std::nullopt});
    judged.verdict = Likeness::drift;
  }
  for (auto& [path, file] : files) judged.files.push_back(std::move(file));
  return judged;
}

std::vector<JudgedNumber> judge_metrics(const Json& before, const Json& after, double tolerance) {
  Json all = before;
  all.update(after);
  const auto in = [](const Json& metrics, const std::string& name) {
    return metrics.contains(name) ? &metrics.at(name) : nullptr;
  };
  std::vector<JudgedNumber> judged;
  for (const auto& [name, unused] : all.items())
    judged.push_back(judge_metric(name, in(before, name), in(after, name), tolerance));
  return judged;
}

JudgedNumber judge_score(const std::optional<double>& before, const std::optional<double>& after, double tolerance) {
  const auto json = [](const std::optional<double>& score) { return score ? Json(*score) : Json(nullptr); };
  JudgedNumber number{"score", Likeness::identical, json(before), json(after), std::nullopt};
  number.difference = relative_difference(number.before, number.after);
  number.verdict = judged(number.before == number.after, number.difference, tolerance);
  return number;
}

Json to_json(const Reproduction& reproduction) {
  Json missing = Json::array();
  for (const MissingPart& part : reproduction.missing)
    missing.push_back({{"what", name_of(part.what)}, {"why", part.why}});
  Json metrics = Json::array();
  for (const JudgedNumber& metric : reproduction.metrics) metrics.push_back(judged_json(metric));
  return {{"schema", kReproductionSchema},
          {"version", reproduction.version},
          {"verdict", name_of(reproduction.verdict())},
          {"tolerance", reproduction.tolerance},
          {"missing", std::move(missing)},
          {"before", judged_json(reproduction.before)},
          {"after", judged_json(reproduction.after)},
          {"environment", to_json(reproduction.environment)},
          {"package", judged_json(reproduction.package)},
          {"artifacts", judged_json(reproduction.artifacts)},
          {"metrics", std::move(metrics)},
          {"score", reproduction.score ? judged_json(*reproduction.score) : Json(nullptr)}};
}

}  // namespace trainyard
