// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/lineage_reading.hpp"

#include <set>

#include "runner/core/documents/croissant.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using VersionState = LineageVersion::State;
using LineageState = LineageRun::State;

LineageVersion node_of(VersionState state, VersionRecord record) {
  PackageName package = record.content.name;
  const PackageVersion version = record.version;
  return {std::move(package), version, state, std::move(record), std::nullopt, ""};
}

// One that was taken away is asked for first, because a version that is nowhere costs a look at all.
Result<LineageVersion> find_version(const PackageRegistry& registry, const PackageReference& reference) {
  if (reference.version) {
    auto removed = registry.find_removed(reference.name, *reference.version);
    if (removed.ok()) return node_of(VersionState::removed, std::move(*removed));
  }
  return node_of(VersionState::there, TRY(registry.find(reference)));
}

// A version that is only named; `told_by` is the run that was made from it, if that can be read.
LineageVersion find_parent(const PackageRegistry& registry, const PackageName& package, const PackageVersion& version,
                           const LineageRun* told_by) {
  auto found = find_version(registry, {package, version});
  if (found.ok()) return std::move(*found);
  const bool missing = found.error().code == Errc::not_found;
  LineageVersion node{package, version, missing ? VersionState::unknown : VersionState::unreadable,
                      {},      {},      missing ? "" : found.error().message};
  if (told_by != nullptr && told_by->record && told_by->record->parent.version == version)
    node.recorded = told_by->record->parent;
  return node;
}

LineageRun read_run(const RunFolder& folder, const RunId& id) {
  LineageRun run{id, LineageState::over, std::nullopt, ""};
  const auto text = read_file(folder.results(), limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) {
    run.state = is_there(folder.path()) ? LineageState::active : LineageState::deleted;
    return run;
  }
  const auto json = text.ok() ? parse_json(*text, "the results") : text.error();
  auto record = json.ok() ? run_record_from(*json) : json.error();
  if (!record.ok()) {
    run.state = LineageState::unreadable;
    run.why = record.error().message;
    return run;
  }
  run.record = std::move(*record);
  run.record->document = nullptr;
  run.results = sha256(*text);
  return run;
}

Result<void> add_kept_data(const Store& store, LineageParts& parts) {
  for (const std::string& name : TRY(list_folder(store.snapshots()))) {
    const auto digest = Digest::parse(std::string_view(name).substr(0, name.find('.')));
    if (digest.ok()) parts.snapshots.insert(*digest);
  }
  const Datasets datasets(store.datasets(), store.journal());
  const auto names = datasets.names();
  if (!names.ok()) return {};
  for (const DatasetName& name : *names) {
    const auto versions = datasets.versions(name);
    if (!versions.ok()) continue;
    for (const DatasetVersion& version : *versions) parts.datasets.emplace(version.text(), version.tree.digest);
  }
  return {};
}

}  // namespace

Result<Lineage> read_lineage(const Store& store, const PackageReference& reference, const EvaluationsOf& evaluations) {
  const PackageRegistry registry(store.packages(), store.journal());
  const RunFolders folders(store.runs(), store.active());
  LineageParts parts;
  parts.versions.push_back(TRY(find_version(registry, reference)));
  std::set<PackageVersion> seen;
  for (;;) {
    const LineageVersion& version = parts.versions.back();
    seen.insert(version.version);
    if (!version.record) break;
    const VersionDraft& content = version.record->content;
    const LineageRun* maker = nullptr;
    if (content.run) {
      parts.runs.push_back(read_run(folders.folder(*content.run), *content.run));
      maker = &parts.runs.back();
    }
    // No version is made before its parent, so one that comes again has a forged record.
    if (!content.parent || seen.contains(*content.parent)) break;
    parts.versions.push_back(find_parent(registry, version.package, *content.parent, maker));
  }
  for (const auto& [version, run] : TRY(evaluations(parts.versions.front().package))) {
    if (seen.contains(version)) parts.runs.push_back(read_run(folders.folder(run), run));
  }
  TRY(add_kept_data(store, parts));
  return Lineage(std::move(parts));
}

std::map<Digest, Tree> listed_trees(const Lineage& lineage, ObjectStore& objects) {
  std::map<Digest, Tree> trees;
  for (const LineageDataset* const dataset : lineage.training_data()) {
    if (dataset->tree.files > kCroissantFiles) continue;
    auto tree = load_tree(dataset->tree.digest, objects);
    if (tree.ok()) trees.emplace(dataset->tree.digest, std::move(*tree));
  }
  return trees;
}

}  // namespace trainyard
