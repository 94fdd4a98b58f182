// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/version_comparison.hpp"

#include <vector>

#include "runner/engine/named_tree.hpp"
#include "runner/engine/package_exchange.hpp"
#include "runner/engine/stored_run_record.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

Result<VersionSide> side_of(const PackageReference& reference, const Store& store) {
  VersionRecord record = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  const std::string name = "version " + record.content.name.text() + "@" + record.version.text();
  Tree tree = TRY(load_kept_tree(name, record.content.tree.digest, store.objects()));
  Manifest manifest = TRY(manifest_of(record, tree, store.objects()));
  std::optional<RunRecord> run;
  if (record.content.run) run = TRY(read_run_record(*record.content.run, store));
  return VersionSide{std::move(record), std::move(manifest), std::move(tree), std::move(run), {}};
}

// Only what differs is worth reading: the list of a large dataset is large.
Result<void> read_different_data(VersionSide& before, VersionSide& after, const Store& store) {
  if (!before.run || !after.run) return {};
  const auto read = [&](VersionSide& side, const RecordedInput& input) -> Result<void> {
    if (!input.tree) return {};
    auto tree = load_tree(input.tree->digest, store.objects());
    if (!tree.ok() && tree.error().code == Errc::not_found) return {};
    if (!tree.ok()) return tree.error();
    side.data.emplace(input.input, std::move(*tree));
    return {};
  };
  for (const RecordedInput& a : before.run->inputs) {
    for (const RecordedInput& b : after.run->inputs) {
      if (a.input != b.input || a.tree == b.tree) continue;
      TRY(read(before, a));
      TRY(read(after, b));
    }
  }
  return {};
}

// A version and those that it was trained from, back to the upload, with the tree of each.
struct Lineage {
  std::vector<VersionRecord> records;
  bool whole = true;  // false when one of them was deleted
};

Result<Lineage> lineage_of(const VersionRecord& version, const Store& store) {
  const PackageRegistry registry(store.packages(), store.journal());
  Lineage lineage{{version}, true};
  while (lineage.records.back().content.run && lineage.records.back().content.parent) {
    const VersionDraft& child = lineage.records.back().content;
    auto parent = registry.find({child.name, *child.parent});
    if (!parent.ok() && parent.error().code != Errc::not_found) return parent.error();
    lineage.whole = parent.ok();
    if (!parent.ok()) break;
    lineage.records.push_back(std::move(*parent));
  }
  return lineage;
}

// What the runs from the `from`-th ancestor to the version have written or removed.
Result<void> add_written(const Lineage& lineage, std::size_t from, std::set<RelPath>& written, const Store& store) {
  for (std::size_t i = 0; i < from; ++i) {
    const Tree child = TRY(load_tree(lineage.records[i].content.tree.digest, store.objects()));
    const Tree parent = TRY(load_tree(lineage.records[i + 1].content.tree.digest, store.objects()));
    for (TreeDifference& one : difference(parent, child)) written.insert(std::move(one.path));
  }
  return {};
}

// Since the nearest version that both come from, or since they were uploaded.
Result<std::optional<std::set<RelPath>>> written_by_runs(const VersionRecord& before, const VersionRecord& after,
                                                         const Store& store) {
  const Lineage a = TRY(lineage_of(before, store));
  const Lineage b = TRY(lineage_of(after, store));
  std::set<RelPath> written;
  for (std::size_t i = 0; i < a.records.size(); ++i) {
    for (std::size_t j = 0; j < b.records.size(); ++j) {
      if (a.records[i] != b.records[j]) continue;
      TRY(add_written(a, i, written, store));
      TRY(add_written(b, j, written, store));
      return std::optional(std::move(written));
    }
  }
  if (!a.whole || !b.whole) return std::optional<std::set<RelPath>>();
  TRY(add_written(a, a.records.size() - 1, written, store));
  TRY(add_written(b, b.records.size() - 1, written, store));
  return std::optional(std::move(written));
}

}  // namespace

Result<VersionDifference> compare_stored_versions(const PackageReference& before, const PackageReference& after,
                                                  const Store& store) {
  VersionSide a = TRY(side_of(before, store));
  VersionSide b = TRY(side_of(after, store));
  TRY(read_different_data(a, b, store));
  return compare_versions(a, b, TRY(written_by_runs(a.record, b.record, store)));
}

}  // namespace trainyard
