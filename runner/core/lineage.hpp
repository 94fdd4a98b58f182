// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// A version in a lineage, with as much as is left of it.
struct LineageVersion {
  enum class State {
    there,
    removed,     // somebody took it away; its record is left
    unreadable,  // its record is damaged
    unknown,     // only others speak of it
  };

  PackageName package;
  PackageVersion version;
  State state = State::there;
  std::optional<VersionRecord> record;      // where it is there or removed
  std::optional<RecordedVersion> recorded;  // without a record: what a run told of it
  std::string why;                          // of one that is unreadable: a sentence

  [[nodiscard]] std::string text() const { return package.text() + "@" + version.text(); }
  // From the record, or from what a run told.
  [[nodiscard]] std::optional<TreeSummary> tree() const;
  [[nodiscard]] std::optional<ZipSummary> zip() const;
};

// A run in a lineage, with as much as is left of it.
struct LineageRun {
  enum class State {
    over,
    active,      // it has no results yet
    deleted,     // its folder is gone
    unreadable,  // its results are damaged
  };

  RunId run;
  State state = State::over;
  std::optional<RunRecord> record;  // where it is over; without its document, which would be large for many
  std::string why;                  // of one that is unreadable: a sentence
  std::optional<Digest> results = std::nullopt;  // the SHA-256 of its _results.json, where it is over
};

// The data that a tree digest names, and what is known of it.
struct LineageDataset {
  // Where a run was given it from.
  struct Origin {
    DataSource::Kind kind = DataSource::Kind::folder;
    std::string source;  // as RecordedInput has it
    friend auto operator<=>(const Origin&, const Origin&) = default;
  };

  TreeSummary tree;
  std::set<Origin> origins;
  bool snapshot = false;        // whether the store has a snapshot of it
  std::set<std::string> names;  // of named datasets that the store has and that hold it: "weather@2", "digits@1/test"

  // Whether its bytes are in the store, and not only their digests.
  [[nodiscard]] bool kept() const { return snapshot || !names.empty(); }
};

// One step. Both ends are ids of nodes; it leads from what was there before to what came of it.
struct LineageEdge {
  enum class Kind {
    used,       // from data or a version to a run
    generated,  // from a run to the version that it made
    derived,    // from a version to the one that a run made of it
  };

  Kind kind = Kind::used;
  std::string from;
  std::string to;
  friend auto operator<=>(const LineageEdge&, const LineageEdge&) = default;
};

std::string_view name_of(LineageVersion::State state);
std::string_view name_of(LineageRun::State state);
std::string_view name_of(LineageEdge::Kind kind);

// What was found of the past of a version.
struct LineageParts {
  std::vector<LineageVersion> versions;    // the version itself, its parent and so on; not empty
  std::vector<LineageRun> runs;            // those that made these versions, and those that evaluated them; any order
  std::set<Digest> snapshots;              // the trees of all snapshots of the store
  std::map<std::string, Digest> datasets;  // the trees of all versions of named datasets, by their names: "weather@2"
};

// Where a version comes from: the versions before it up to the upload, the runs that made and evaluated these, and the
// data that the runs used. Pure; the work is in proportion to what there is. What is missing is a node that says so.
class Lineage {
 public:
  // REQUIRES: parts.versions is not empty
  explicit Lineage(LineageParts parts);

  // The version itself first, then its parent and so on.
  [[nodiscard]] const std::vector<LineageVersion>& versions() const { return versions_; }
  // Oldest first.
  [[nodiscard]] const std::vector<LineageRun>& runs() const { return runs_; }
  // By digest.
  [[nodiscard]] const std::map<Digest, LineageDataset>& datasets() const { return datasets_; }
  [[nodiscard]] const std::vector<LineageEdge>& edges() const { return edges_; }

  // None of an upload, and of a version whose record is missing.
  [[nodiscard]] const LineageRun* maker_of(const LineageVersion& version) const;
  // Oldest first.
  [[nodiscard]] std::vector<const LineageRun*> evaluations_of(const LineageVersion& version) const;
  // The data that the version and those before it were trained on, the newest first, each once.
  [[nodiscard]] std::vector<const LineageDataset*> training_data() const;
  // None where the run ended before it was read.
  [[nodiscard]] const LineageDataset* dataset_of(const RecordedInput& input) const;

 private:
  void add_data(const LineageRun& run, const LineageParts& parts);
  void add_names(const LineageParts& parts);
  void add_edges();

  std::vector<LineageVersion> versions_;
  std::vector<LineageRun> runs_;
  std::map<Digest, LineageDataset> datasets_;
  std::map<PackageVersion, std::vector<std::size_t>> evaluations_;  // indices of runs_
  std::vector<LineageEdge> edges_;
};

// The ids of nodes: "version:digits@1.1", "run:<id>", "data:<digest>".
std::string node_id(const LineageVersion& version);
std::string node_id(const LineageRun& run);
std::string node_id(const LineageDataset& dataset);

}  // namespace trainyard
