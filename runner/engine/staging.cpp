// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/staging.hpp"

#include "runner/mounts/mount_choice.hpp"
#include "runner/mounts/mount_probe.hpp"
#include "storage/datasets/checkouts.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"

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

// What the code will see of the data.
struct SeenData {
  MountedDataset mounted;
  CapturedFolder captured;
  TreeSummary tree;  // of what was captured; the tree itself is in the store
};

Result<MountKind> mount_for(const RunPlan& plan, const Path& data, RunPorts& ports) {
  const MountFacts facts = TRY(probe_mounts(ports.worker_program, data, ports.store.scratch()));
  return choose_mount(plan.request.mount, facts);
}

Result<SeenData> mount_and_read(const RunPlan& plan, const Path& data, MountKind kind, const RunFolder& folder,
                                RunPorts& ports) {
  const Path target = folder.package() / plan.layout.training_data.bytes();
  TRY(make_folders(target));
  TRY(make_folders(folder.layer()));
  auto mounted = TRY(make_mount(kind)->prepare(data, target, folder.layer()));
  CaptureOptions options;
  if (plan.save_training_data) options.objects = &ports.store.objects();
  // A private copy is read once and never again.
  if (kind == MountKind::overlay) options.cache = ports.store.stat_cache_of(mounted.visible);
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return ports.observer.stop_wish() != StopWish::none; };
  auto captured = TRY(capture(mounted.visible, options));
  const TreeSummary tree = TRY(store_tree(captured, ports.store.objects()));
  return SeenData{std::move(mounted), std::move(captured), tree};
}

// Nobody vouches for a checkout; what is read in it does. One that holds something else is made anew, once.
Result<SeenData> see_pinned_data(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  const Checkouts checkouts(ports.store.checkouts(), ports.store.scratch());
  for (bool again = false;; again = true) {
    const Checkout checkout = TRY(checkouts.get(plan.data.tree->digest, ports.store.objects()));
    const MountKind kind = TRY(mount_for(plan, checkout.folder, ports));
    auto seen = mount_and_read(plan, checkout.folder, kind, folder, ports);
    if (seen.ok() && seen->tree == *plan.data.tree) return seen;
    // A link or device is `invalid`, a file that is gone `not_found`.
    if (!seen.ok() && seen.error().code != Errc::invalid && seen.error().code != Errc::not_found) return seen;
    TRY(checkouts.discard(checkout));
    if (again) {
      return fail(Errc::corrupt, "the checkout '" + checkout.folder.string() + "' does not hold the data of the run '" +
                                     plan.request.dataset + "', and neither did the one before it" +
                                     (seen.ok() ? "" : ": " + seen.error().message));
    }
    TRY(remove_tree(folder.package() / plan.layout.training_data.bytes()));
    TRY(remove_tree(folder.layer()));
  }
}

Result<SeenData> see_data(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  if (plan.data.tree) return see_pinned_data(plan, folder, ports);
  const MountKind kind = TRY(mount_for(plan, plan.data.folder, ports));
  return mount_and_read(plan, plan.data.folder, kind, folder, ports);
}

}  // namespace

Result<StagedRun> stage(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  ObjectStore& objects = ports.store.objects();
  TRY(make_folders(folder.package()));
  TRY(copy_package(plan, folder, objects));
  TRY(make_folders(folder.package() / plan.layout.artifacts.bytes()));
  SeenData seen = TRY(see_data(plan, folder, ports));
  StagedRun staged{{seen.tree, seen.mounted.kind, plan.save_training_data},
                   {folder.package().string(), seen.mounted.overlay},
                   std::move(seen.captured),
                   seen.mounted.visible};
  TRY(objects.sync());
  static_cast<void>(keep_cache(staged.captured));
  if (plan.save_training_data) {
    const Snapshots snapshots(ports.store.snapshots(), ports.store.scratch());
    TRY(snapshots.add({staged.data.tree, ports.now(), plan.request.dataset, plan.run}));
  }
  return staged;
}

Result<void> check_data_unchanged(const RunPlan& plan, const StagedData& data, const CapturedFolder* captured) {
  // The other mounts gave the job a copy of its own.
  if (data.mount != MountKind::overlay) return {};
  // A checkout is the store's to keep, a folder the user's.
  const Errc code = plan.data.tree ? Errc::corrupt : Errc::invalid;
  if (captured != nullptr) {
    const auto change = TRY(change_since(plan.data.folder, *captured));
    if (change) return fail(code, *change + " while the run used it; run again once the data is at rest");
    return {};
  }
  const CapturedFolder now = TRY(capture(plan.data.folder, {}));
  if (now.tree.digest() == data.tree.digest) return {};
  return fail(code, "the dataset '" + plan.request.dataset +
                        "' is no longer what it was when the run began; run again once the data is at rest");
}

}  // namespace trainyard
