// SPDX-License-Identifier: Apache-2.0
#include "runner/core/lineage.hpp"

#include <algorithm>

#include "runner/core/run_plan.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kVersionStates[] = {"there", "removed", "unreadable", "unknown"};
constexpr std::string_view kRunStates[] = {"over", "active", "deleted", "unreadable"};
constexpr std::string_view kEdgeKinds[] = {"used", "generated", "derived"};

std::string version_id(const std::string& text) { return "version:" + text; }

bool is_evaluation(const LineageRun& run) { return run.record && run.record->type == RunType::evaluation; }

}  // namespace

std::string_view name_of(LineageVersion::State state) { return kVersionStates[static_cast<std::size_t>(state)]; }
std::string_view name_of(LineageRun::State state) { return kRunStates[static_cast<std::size_t>(state)]; }
std::string_view name_of(LineageEdge::Kind kind) { return kEdgeKinds[static_cast<std::size_t>(kind)]; }

std::string node_id(const LineageVersion& version) { return version_id(version.text()); }
std::string node_id(const LineageRun& run) { return "run:" + run.run.text(); }
std::string node_id(const LineageDataset& dataset) { return "data:" + dataset.tree.digest.hex(); }

std::optional<TreeSummary> LineageVersion::tree() const {
  if (record) return record->content.tree;
  return recorded ? std::optional(recorded->tree) : std::nullopt;
}

std::optional<ZipSummary> LineageVersion::zip() const {
  if (record) return record->content.zip;
  return recorded ? std::optional(recorded->zip) : std::nullopt;
}

Lineage::Lineage(LineageParts parts) : versions_(std::move(parts.versions)), runs_(std::move(parts.runs)) {
  const auto earlier = [](const LineageRun& a, const LineageRun& b) { return a.run < b.run; };
  const auto same = [](const LineageRun& a, const LineageRun& b) { return a.run == b.run; };
  std::stable_sort(runs_.begin(), runs_.end(), earlier);
  runs_.erase(std::unique(runs_.begin(), runs_.end(), same), runs_.end());
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    add_data(runs_[i], parts);
    if (is_evaluation(runs_[i])) evaluations_[runs_[i].record->parent.version].push_back(i);
  }
  add_names(parts);
  add_edges();
}

void Lineage::add_data(const LineageRun& run, const LineageParts& parts) {
  if (!run.record) return;
  for (const RecordedInput& input : run.record->inputs) {
    if (!input.tree) continue;
    LineageDataset& dataset =
        datasets_.try_emplace(input.tree->digest, LineageDataset{*input.tree, {}, false, {}}).first->second;
    dataset.origins.insert({input.kind, input.source});
    dataset.snapshot = parts.snapshots.contains(dataset.tree.digest);
    if (!input.dataset) continue;
    // One folder of a dataset has a tree of its own.
    const DatasetReference whole{input.dataset->name, input.dataset->number, std::nullopt};
    if (parts.datasets.contains(whole.text())) dataset.names.insert(input.dataset->text());
  }
}

void Lineage::add_names(const LineageParts& parts) {
  for (const auto& [name, digest] : parts.datasets) {
    const auto dataset = datasets_.find(digest);
    if (dataset != datasets_.end()) dataset->second.names.insert(name);
  }
}

void Lineage::add_edges() {
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    const LineageVersion& version = versions_[i];
    if (const LineageRun* const maker = maker_of(version))
      edges_.push_back({LineageEdge::Kind::generated, node_id(*maker), node_id(version)});
    if (i + 1 < versions_.size())
      edges_.push_back({LineageEdge::Kind::derived, node_id(versions_[i + 1]), node_id(version)});
  }
  for (const LineageRun& run : runs_) {
    if (!run.record) continue;
    edges_.push_back({LineageEdge::Kind::used, version_id(run.record->parent.text()), node_id(run)});
    for (const RecordedInput& input : run.record->inputs) {
      if (const LineageDataset* const dataset = dataset_of(input))
        edges_.push_back({LineageEdge::Kind::used, node_id(*dataset), node_id(run)});
    }
  }
  std::sort(edges_.begin(), edges_.end());
  edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
}

const LineageRun* Lineage::maker_of(const LineageVersion& version) const {
  if (!version.record || !version.record->content.run) return nullptr;
  const RunId& id = *version.record->content.run;
  const auto found = std::lower_bound(runs_.begin(), runs_.end(), id,
                                      [](const LineageRun& run, const RunId& wanted) { return run.run < wanted; });
  return found != runs_.end() && found->run == id ? &*found : nullptr;
}

std::vector<const LineageRun*> Lineage::evaluations_of(const LineageVersion& version) const {
  std::vector<const LineageRun*> runs;
  const auto found = evaluations_.find(version.version);
  if (found == evaluations_.end()) return runs;
  for (const std::size_t i : found->second) runs.push_back(&runs_[i]);
  return runs;
}

std::vector<const LineageDataset*> Lineage::training_data() const {
  std::vector<const LineageDataset*> data;
  std::set<Digest> seen;
  for (const LineageVersion& version : versions_) {
    const LineageRun* const maker = maker_of(version);
    if (maker == nullptr || !maker->record) continue;
    for (const RecordedInput& input : maker->record->inputs) {
      const LineageDataset* const dataset = input.input == "train_data" ? dataset_of(input) : nullptr;
      if (dataset != nullptr && seen.insert(dataset->tree.digest).second) data.push_back(dataset);
    }
  }
  return data;
}

const LineageDataset* Lineage::dataset_of(const RecordedInput& input) const {
  const auto found = input.tree ? datasets_.find(input.tree->digest) : datasets_.end();
  return found == datasets_.end() ? nullptr : &found->second;
}

}  // namespace trainyard
