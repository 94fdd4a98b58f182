// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/data_overlap.hpp"

#include <set>
#include <string>

#include "runner/engine/inner_folder.hpp"
#include "runner/engine/run_roots.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kExamples = 5;

// Files of a dataset, each once for each of its paths.
struct Files {
  std::vector<std::pair<std::string, Digest>> each;

  // Those of a tree below one of its folders; all when that is empty.
  void add(const Tree& tree, std::string_view below) {
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const Tree::View file = tree.view(i);
      if (file.digest == nullptr || file.size == 0) continue;
      const bool inside = below.empty() || file.folder == below ||
                          (file.folder.starts_with(below) && file.folder.substr(below.size()).starts_with('/'));
      if (inside) each.emplace_back(tree.entry(i).path.text(), *file.digest);
    }
  }
};

// The folder `part` of a full run's data as the job left it: what the dataset has there, and what the package wrote.
// False when it cannot be read.
Result<bool> add_part(const RunPlan& plan, const RunFolder& folder, const StagedInput& staged, const Tree& dataset,
                      const char* part, Files& files) {
  const bool overlay = staged.mount == MountKind::overlay;
  if (overlay) files.add(dataset, part);
  const Path root = overlay ? folder.layer() / "data" / "upper" : folder.package();
  const RelPath inner = TRY(RelPath::parse(overlay ? part : std::string(plan.layout.data.bytes()) + "/" + part));
  const Path made = root / inner.bytes();
  if (!is_folder(made)) return true;
  // What a link leads to is none of the run's data.
  if (!is_inner_folder(root, inner)) return false;
  const auto captured = capture(made, {});
  // A file that was removed from an overlay is a device there.
  if (!captured.ok()) return false;
  files.add(captured->tree, "");
  return true;
}

DataOverlap overlap_of(const Files& training, const Files& evaluation) {
  std::set<Digest> seen;
  for (const auto& [path, digest] : training.each) seen.insert(digest);
  DataOverlap overlap{0, evaluation.each.size(), {}};
  for (const auto& [path, digest] : evaluation.each) {
    if (!seen.contains(digest)) continue;
    ++overlap.files;
    if (overlap.examples.size() < kExamples) overlap.examples.push_back(path);
  }
  return overlap;
}

Result<std::optional<DataOverlap>> of_full_run(const RunPlan& plan, const RunFolder& folder, const StagedData& data,
                                               TrainedOn trained_on, const Store& store) {
  const Tree dataset = TRY(load_tree(data.data.tree.digest, store.objects()));
  Files training;
  Files evaluation;
  bool readable = true;
  if (trained_on == TrainedOn::dataset) {
    training.add(dataset, "");
  } else {
    readable = TRY(add_part(plan, folder, data.data, dataset, "training", training));
  }
  if (data.evaluation) {
    evaluation.add(TRY(load_tree(data.evaluation->tree.digest, store.objects())), "");
  } else {
    readable = TRY(add_part(plan, folder, data.data, dataset, "test", evaluation)) && readable;
  }
  if (!readable) return std::optional<DataOverlap>();
  return std::optional(overlap_of(training, evaluation));
}

// False when no run that led to the version is known.
Result<bool> add_training_data(VersionRecord version, const Store& store, Files& training) {
  const PackageRegistry registry(store.packages(), store.journal());
  const RunFolders folders(store.runs(), store.active());
  bool known = false;
  for (;;) {
    const auto& run = version.content.run;
    if (run && is_there(folders.folder(*run).path())) {
      const auto stored = TRY(read_stored_run(folders.folder(*run), RunLife::active));
      const auto data = stored && !stored->journal.empty() ? data_of(stored->journal.back().state) : std::nullopt;
      if (data) {
        training.add(TRY(load_tree(data->data.tree.digest, store.objects())), "");
        known = true;
      }
    }
    if (!version.content.parent) return known;
    version = TRY(registry.find({version.content.name, *version.content.parent}));
  }
}

}  // namespace

Result<std::optional<DataOverlap>> find_overlap(const RunPlan& plan, const RunFolder& folder, const StagedData& data,
                                                TrainedOn trained_on, const Store& store) {
  if (plan.request.type == RunType::full) return of_full_run(plan, folder, data, trained_on, store);
  Files training;
  if (!TRY(add_training_data(plan.parent, store, training))) return std::optional<DataOverlap>();
  Files evaluation;
  evaluation.add(TRY(load_tree(data.data.tree.digest, store.objects())), "");
  return std::optional(overlap_of(training, evaluation));
}

}  // namespace trainyard
