// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "runner/core/run_state.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/example_run.hpp"

// For tests: a store of its own, and records of every kind in it with as little around them as can be.
namespace trainyard::example {

class ExampleStore {
 public:
  using Files = std::map<std::string, std::string>;  // bytes by path

  ExampleStore() {
    need(Store::create(root_, Instant{0}));
    open();
  }

  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] const Store& store() const { return *store_; }
  // As another process would see it.
  void open() {
    store_.reset();
    store_.emplace(need(Store::open(root_)));
  }

  TreeSummary put(const Files& files) {
    std::vector<TreeEntry> entries;
    for (const auto& [path, bytes] : files) {
      const Digest digest = need(store_->objects().put(bytes));
      entries.push_back({need(RelPath::parse(path)), TreeEntry::Kind::file, bytes.size(), false, digest});
    }
    const TreeSummary tree = need(store_tree(need(Tree::of(std::move(entries))), store_->objects()));
    need(store_->objects().sync());
    store_->objects().release();
    return tree;
  }

  VersionRecord add_version(const TreeSummary& tree) {
    VersionDraft draft = parent().content;
    draft.tree = tree;
    return need(PackageRegistry(store_->packages(), store_->journal()).publish_major(draft));
  }
  void add_snapshot(const TreeSummary& tree) {
    need(Snapshots(store_->snapshots(), store_->journal()).add({tree, kNow, "/data/digits", std::nullopt}));
  }
  void add_dataset(const std::string& name, const TreeSummary& tree) {
    const Datasets datasets(store_->datasets(), store_->journal());
    need(datasets.add(need(DatasetName::parse(name)), tree, kNow, "/data/" + name));
  }
  // With a journal of these states; over, unless it is said to be active.
  void add_run(const RunPlan& plan, const std::vector<RunState>& states, bool active) {
    const Path run = store_->runs() / plan.run.text();
    need(make_folders(run));
    need(publish_file(store_->scratch(), run / "plan.json", readable(to_json(plan)), 0444, Durable::no));
    for (const RunState& state : states)
      need(append_line(run / "journal.jsonl", canonical(to_json(JournalEntry{kNow, state})), Durable::no));
    if (active) need(publish_file(store_->scratch(), store_->active() / plan.run.text(), "", 0644, Durable::no));
  }

 private:
  template <class T>
  static T need(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
  }

  TempFolder folder_;
  Path root_ = folder_.path() / "store";
  std::optional<Store> store_;
};

}  // namespace trainyard::example
