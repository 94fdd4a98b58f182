// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// One of the two versions that are held against each other, with all that is known of it.
struct VersionSide {
  VersionRecord record;
  Manifest manifest;
  Tree tree;
  std::optional<RunRecord> run;      // that made it; none for an upload, or when the run is gone
  std::map<std::string, Tree> data;  // of the run, by the name of the input; what the store still has

  [[nodiscard]] std::string text() const { return record.content.name.text() + "@" + record.version.text(); }
};

// `unknown`: cannot be compared, because something is gone or never was.
enum class Comparison { equal, different, unknown };
std::string_view name_of(Comparison comparison);

// A value that the two do not have alike; null where one has none.
struct DifferentFact {
  std::string name;
  Json before;
  Json after;
};

// How two trees differ, in numbers and by the first paths.
struct DifferentFiles {
  static constexpr std::size_t kFirst = 20;

  std::size_t added = 0;
  std::size_t removed = 0;
  std::size_t changed = 0;
  std::vector<TreeDifference> first;

  static DifferentFiles of(std::vector<TreeDifference> differences);
};

// One aspect of two versions.
struct ComparedSection {
  std::string name;
  Comparison verdict = Comparison::equal;
  std::string why;  // of `unknown`, what is missing; else a remark, or nothing
  std::vector<DifferentFact> facts;
  std::optional<DifferentFiles> files;  // of a section that is about files, once they differ and can be named
};

// Schema: schemas/version-difference.schema.json.
struct VersionDifference {
  std::string before;  // "digits@1.1"
  std::string after;
  std::vector<ComparedSection> sections;

  // Something that cannot be compared is not known to be equal.
  [[nodiscard]] Comparison verdict() const;
};

// Pure. The sections are, in this order: train_data and, where one of the two has it, evaluation_data: the content of the
// data, wherever it came from; parameters: the type of the run, its variables and hyperparameters, and the names of its
// secrets; code and model: the files of the package that somebody uploaded, and those that runs have written since;
// manifest; abi; environment: what ran it; metrics: their last values; score.
//
// `learned` are the paths that runs have written since the versions went apart; none when that is not known, because a
// version between them is gone. Then every file is taken for code.
VersionDifference compare_versions(const VersionSide& before, const VersionSide& after,
                                   const std::optional<std::set<RelPath>>& learned);

Json to_json(const VersionDifference& difference);

using Facts = std::map<std::string, Json>;
// In the order of names.
std::vector<DifferentFact> different_facts(const Facts& before, const Facts& after);
Json to_json(const std::vector<DifferentFact>& facts);

// Pure: what ran a run and stood around it: runner, host, gpu, python …, isolation ….
Facts environment_of(const RunRecord& run);

}  // namespace trainyard
