// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/staging.hpp"

#include "runner/mounts/mount_choice.hpp"
#include "runner/mounts/mount_probe.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

Result<void> copy_package(const RunPlan& plan, const RunFolder& folder, ObjectStore& objects) {
  const Tree whole = TRY(load_tree(plan.parent.content.tree.digest, objects));
  std::vector<TreeEntry> content;
  for (const TreeEntry& entry : whole.entries()) {
    if (is_package_content(plan.layout, entry.path)) content.push_back(entry);
  }
  return materialise(TRY(Tree::of(std::move(content))), objects, folder.package());
}

Result<MountedDataset> mount(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  const Path target = folder.package() / plan.layout.training_data.bytes();
  TRY(make_folders(target));
  TRY(make_folders(folder.layer()));
  const MountFacts facts = TRY(probe_mounts(ports.worker_program, plan.request.dataset, ports.store.scratch()));
  const MountKind kind = TRY(choose_mount(plan.request.mount, facts));
  return make_mount(kind)->prepare(plan.request.dataset, target, folder.layer());
}

}  // namespace

Result<StagedRun> stage(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  ObjectStore& objects = ports.store.objects();
  TRY(make_folders(folder.package()));
  TRY(copy_package(plan, folder, objects));
  TRY(make_folders(folder.package() / plan.layout.artifacts.bytes()));
  const MountedDataset mounted = TRY(mount(plan, folder, ports));

  CaptureOptions options;
  if (plan.save_training_data) options.objects = &objects;
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  StagedRun staged{{TreeSummary{sha256(""), 0, 0}, mounted.kind, plan.save_training_data},
                   {folder.package().string(), mounted.overlay},
                   {},
                   mounted.visible};
  staged.captured = TRY(capture(mounted.visible, options));
  staged.data.tree = TRY(store_tree(staged.captured.tree, objects));
  TRY(objects.sync());
  if (plan.save_training_data) {
    const Snapshots snapshots(ports.store.snapshots(), ports.store.scratch());
    TRY(snapshots.add({staged.data.tree, ports.now(), plan.request.dataset, plan.run}));
  }
  return staged;
}

Result<void> check_data_unchanged(const RunPlan& plan, const StagedData& data, const CapturedFolder* captured) {
  // The other mounts gave the job a copy of its own.
  if (data.mount != MountKind::overlay) return {};
  if (captured != nullptr) {
    const auto change = TRY(change_since(plan.request.dataset, *captured));
    if (change) return fail(Errc::invalid, *change + " while the run used it; run again once the data is at rest");
    return {};
  }
  const CapturedFolder now = TRY(capture(plan.request.dataset, {}));
  if (now.tree.digest() == data.tree.digest) return {};
  return fail(Errc::invalid, "the dataset '" + plan.request.dataset +
                                 "' is no longer what it was when the run began; run again once the data is at rest");
}

}  // namespace trainyard
