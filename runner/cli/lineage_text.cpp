// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/lineage_text.hpp"

#include <vector>

#include "runner/cli/terminal.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kShortDigest = 12;

// What the lines of a tree are drawn with.
struct Pen {
  const char* itself;
  const char* earlier;
  const char* branch;
  const char* last;
  const char* trunk;
};
constexpr Pen kUnicode = {"\u25CF ", "\u25CB ", "\u251C\u2500 ", "\u2514\u2500 ", "\u2502  "};
constexpr Pen kAscii = {"* ", "o ", "|- ", "`- ", "|  "};
constexpr const char* kNothing = "   ";

std::string short_text(const Digest& digest) { return digest.hex().substr(0, kShortDigest); }

// One line, and the lines that belong to it.
struct Branch {
  std::string line;
  std::vector<std::string> leaves = {};
};

// Where the bytes can be had again, beside what the run was given.
std::string kept_text(const LineageDataset& dataset, const std::string& given) {
  if (!dataset.kept()) return "not kept";
  std::string text;
  for (const std::string& name : dataset.names) {
    if (name != given) text += (text.empty() ? "kept as " : ", ") + name;
  }
  return text.empty() ? "kept" : text;
}

std::string data_text(const Lineage& lineage, const RecordedInput& input) {
  std::string text = printable(input.source);
  const LineageDataset* const dataset = lineage.dataset_of(input);
  if (dataset == nullptr) return text + "  (nobody read it)";
  return text + "  (" + plural(dataset->tree.files, "file") + ", " + size_text(dataset->tree.bytes) + ", " +
         short_text(dataset->tree.digest) + ", " + kept_text(*dataset, input.source) + ")";
}

// What was given and declared; where a run had its folders is no news.
std::string settings_text(const RunRecord& record) {
  std::string text;
  for (const auto& [name, value] : record.environment) {
    if (name.ends_with("_directory") || name.starts_with("save_")) continue;
    text += (text.empty() ? "" : " ") + printable(name) + "=" + printable(value);
  }
  return text;
}

std::string name_of_run(const LineageRun& run) { return run.record ? run.record->name.text() : run.run.text(); }

std::string missing_text(const LineageRun& run) {
  switch (run.state) {
    case LineageRun::State::deleted: return "that run was deleted: its data and settings are not known any more";
    case LineageRun::State::active: return "that run is not over yet";
    case LineageRun::State::unreadable: return "what it left cannot be read: " + printable(run.why);
    case LineageRun::State::over: break;
  }
  return "";
}

double seconds_of(const RunRecord& record) {
  return static_cast<double>(record.ended_at.microseconds - record.started_at.microseconds) / 1e6;
}

Branch making(const Lineage& lineage, const LineageVersion& version, const LineageRun& run) {
  Branch branch{"made " + version.record->content.created_at.short_text() + " by run " + name_of_run(run)};
  if (!run.record) {
    branch.leaves.push_back("! " + missing_text(run));
    return branch;
  }
  const RunRecord& record = *run.record;
  branch.line += " (" + std::string(name_of(record.type)) + ", " + duration_text(seconds_of(record)) + ", " +
                 printable(record.runner) + " on " + printable(record.host) + ")";
  for (const RecordedInput& input : record.inputs) {
    branch.leaves.push_back((input.input == "train_data" ? "trained on    " : "evaluated on  ") +
                            data_text(lineage, input));
  }
  if (const std::string settings = settings_text(record); !settings.empty())
    branch.leaves.push_back("with          " + settings);
  if (record.score) branch.leaves.push_back("score         " + number_text(*record.score));
  return branch;
}

Branch evaluation(const Lineage& lineage, const LineageRun& run) {
  const RunRecord& record = *run.record;
  Branch branch{"evaluated " + record.ended_at.short_text() + " by run " + record.name.text() + ": " +
                (record.score ? "score " + number_text(*record.score) : "no score")};
  for (const RecordedInput& input : record.inputs) branch.leaves.push_back("on " + data_text(lineage, input));
  return branch;
}

std::string headline(const LineageVersion& version) {
  std::string text = version.text();
  if (const auto tree = version.tree()) text += "  tree " + short_text(tree->digest);
  switch (version.state) {
    case LineageVersion::State::there: break;
    case LineageVersion::State::removed: text += "  (removed)"; break;
    case LineageVersion::State::unreadable: text += "  (its record is damaged)"; break;
    case LineageVersion::State::unknown: text += "  (not in this store)"; break;
  }
  return text;
}

std::vector<Branch> branches_of(const Lineage& lineage, const LineageVersion& version) {
  std::vector<Branch> branches;
  if (const LineageRun* const maker = lineage.maker_of(version)) {
    branches.push_back(making(lineage, version, *maker));
  } else if (version.record) {
    const VersionDraft& content = version.record->content;
    branches.push_back({"uploaded " + content.created_at.short_text() +
                        (content.change_log.empty() ? "" : ": " + printable(content.change_log))});
  } else {
    branches.push_back({"! where it comes from is not known here" +
                        (version.why.empty() ? std::string() : ": " + printable(version.why))});
  }
  for (const LineageRun* const run : lineage.evaluations_of(version)) branches.push_back(evaluation(lineage, *run));
  return branches;
}

}  // namespace

std::string lineage_text(const Lineage& lineage, Strokes strokes) {
  const Pen& pen = strokes == Strokes::unicode ? kUnicode : kAscii;
  std::string text;
  const auto& versions = lineage.versions();
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool oldest = i + 1 == versions.size();
    text += (i == 0 ? pen.itself : pen.earlier) + headline(versions[i]) + "\n";
    const std::vector<Branch> branches = branches_of(lineage, versions[i]);
    for (std::size_t j = 0; j < branches.size(); ++j) {
      const bool ends = oldest && j + 1 == branches.size();
      text += (ends ? pen.last : pen.branch) + branches[j].line + "\n";
      const auto& leaves = branches[j].leaves;
      for (std::size_t k = 0; k < leaves.size(); ++k)
        text += (ends ? kNothing : pen.trunk) + std::string(k + 1 == leaves.size() ? pen.last : pen.branch) +
                leaves[k] + "\n";
    }
    if (!oldest) text += std::string(pen.trunk, std::string(pen.trunk).find(' ')) + "\n";
  }
  return text;
}

}  // namespace trainyard
