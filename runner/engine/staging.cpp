// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/staging.hpp"

#include "runner/engine/run_stop.hpp"
#include "runner/mounts/data_shares.hpp"
#include "runner/mounts/mount_choice.hpp"
#include "runner/mounts/mount_probe.hpp"
#include "runner/python/python_interpreter.hpp"
#include "runner/python/virtual_environments.hpp"
#include "storage/datasets/checkouts.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"

namespace trainyard {

namespace {

// The private copies of the package, one for each worker.
Result<void> copy_package(const RunPlan& plan, const RunFolder& folder, ObjectStore& objects) {
  const Tree whole = TRY(load_tree(plan.parent.content.tree.digest, objects));
  std::vector<TreeEntry> content;
  for (const TreeEntry& entry : whole.entries()) {
    if (is_package_content(plan.layout, entry.path)) content.push_back(entry);
  }
  const Tree package = TRY(Tree::of(std::move(content)));
  for (int rank = 0; rank < workers_of(plan.request); ++rank) {
    TRY(make_folders(folder.package(rank)));
    TRY(materialise(package, objects, folder.package(rank)));
    TRY(make_folders(folder.package(rank) / plan.layout.artifacts.bytes()));
  }
  return {};
}

// What runs a Python package. A virtual environment that has to be made first takes as long as pip does.
Result<std::optional<PythonProgram>> python_for(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  if (plan.library) return std::optional<PythonProgram>();
  Path interpreter = *plan.request.python;
  if (plan.request.dependencies == Dependencies::venv) {
    const VirtualEnvironments environments(ports.store.virtual_environments());
    interpreter = TRY(environments.get(interpreter, folder.package()));
  }
  const Path worker = PythonInterpreter(interpreter, ports.python_kit).worker();
  return std::optional(PythonProgram{interpreter.string(), worker.string()});
}

// One dataset of a run, and where it goes.
struct Input {
  const DataSource& source;
  const std::string& given;
  Path target;
  Path layer;
  bool keep;  // as a snapshot
};

// As worker `rank` finds them.
std::vector<Input> inputs_of(const RunPlan& plan, const RunFolder& folder, int rank = 0) {
  const bool keep = trains(plan.request.type) ? plan.save_training_data : plan.save_test_data;
  std::vector<Input> inputs = {{plan.data, plan.request.dataset, folder.package(rank) / plan.layout.data.bytes(),
                                folder.layer(rank) / "data", keep}};
  if (plan.evaluation_data) {
    inputs.push_back({*plan.evaluation_data, *plan.request.evaluation_dataset,
                      folder.package(rank) / plan.layout.test_data.bytes(), folder.layer(rank) / "evaluation",
                      plan.save_test_data});
  }
  return inputs;
}

// The folder of the data, and, where the store vouches for what is in it, which one that is.
struct Present {
  Path folder;
  std::optional<Checkout> checkout;
};

Result<Present> present(const Input& input, RunPorts& ports) {
  if (!input.source.tree) return Present{input.source.folder, std::nullopt};
  const Checkouts checkouts(ports.store.checkouts(), ports.store.scratch());
  Checkout checkout = TRY(checkouts.get(input.source.tree->digest, ports.store.objects()));
  Path folder = checkout.folder;
  return Present{std::move(folder), std::move(checkout)};
}

// Of one kind for all: a dataset may be mounted in another, which a copy that is made before cannot be.
Result<MountKind> mount_for(const RunPlan& plan, const std::vector<Input>& inputs, RunPorts& ports) {
  MountFacts all{true, "", true, std::nullopt, true};
  for (const Input& input : inputs) {
    const Path folder = TRY(present(input, ports)).folder;
    const MountFacts facts = TRY(probe_mounts(ports.worker_program, folder, ports.store.scratch()));
    if (all.overlay_works && !facts.overlay_works) all.overlay_why_not = facts.overlay_why_not;
    all.overlay_works = all.overlay_works && facts.overlay_works;
    all.owner_mapped = all.owner_mapped && facts.owner_mapped;
    all.reflink_works = all.reflink_works && facts.reflink_works;
    if (!all.mounted_below) all.mounted_below = facts.mounted_below;
  }
  if (all.overlay_works && plan.request.placement.sharding == DataSharding::by_file) {
    all.overlay_why_not = why_no_whiteouts(ports.store.scratch());
    all.overlay_works = all.overlay_why_not.empty();
  }
  return choose_mount(plan.request.mount, all);
}

// What the code will see of a dataset.
struct SeenData {
  MountedDataset mounted;
  CapturedFolder captured;
  TreeSummary tree;  // of what was captured; the tree itself is in the store
};

Result<SeenData> mount_and_read(const Input& input, const Path& data, MountKind kind, const RunFolder& folder,
                                RunPorts& ports) {
  // A dataset that is copied into another one replaces what lies there.
  TRY(remove_tree(input.target));
  TRY(make_folders(input.target));
  TRY(make_folders(input.layer));
  auto mounted = TRY(make_mount(kind)->prepare(data, input.target, input.layer));
  CaptureOptions options;
  if (input.keep) options.objects = &ports.store.objects();
  // A private copy is read once and never again.
  if (kind == MountKind::overlay) options.cache = ports.store.stat_cache_of(mounted.visible);
  options.progress = [&](const CaptureProgress& progress) { ports.observer.reading_data(progress); };
  options.cancelled = [&] { return stop_wish(folder, ports.observer) != StopWish::none; };
  auto captured = TRY(capture(mounted.visible, options));
  const TreeSummary tree = TRY(store_tree(captured, ports.store.objects()));
  return SeenData{std::move(mounted), std::move(captured), tree};
}

// Nobody vouches for a checkout; what is read in it does. One that holds something else is made anew, once.
Result<SeenData> see(const Input& input, MountKind kind, const RunFolder& folder, RunPorts& ports) {
  for (bool again = false;; again = true) {
    const Present data = TRY(present(input, ports));
    auto seen = mount_and_read(input, data.folder, kind, folder, ports);
    if (!data.checkout || (seen.ok() && seen->tree == *input.source.tree)) return seen;
    // A link or device is `invalid`, a file that is gone `not_found`.
    if (!seen.ok() && seen.error().code != Errc::invalid && seen.error().code != Errc::not_found) return seen;
    TRY(Checkouts(ports.store.checkouts(), ports.store.scratch()).discard(*data.checkout));
    if (again) {
      return fail(Errc::corrupt, "the checkout '" + data.folder.string() + "' does not hold the data of the run '" +
                                     input.given + "', and neither did the one before it" +
                                     (seen.ok() ? "" : ": " + seen.error().message));
    }
    TRY(remove_tree(input.layer));
  }
}

// Of what rank 0 sees, what each worker does. Only the data that is trained on is divided.
Result<std::vector<MountedDataset>> share(const RunPlan& plan, const RunFolder& folder, std::size_t index,
                                          const SeenData& seen) {
  std::vector<SharePlace> places;
  for (int rank = 0; rank < workers_of(plan.request); ++rank) {
    const Input input = inputs_of(plan, folder, rank)[index];
    places.push_back({input.target, input.layer});
    if (rank == 0) continue;
    TRY(remove_tree(input.target));
    TRY(make_folders(input.target));
    TRY(make_folders(input.layer));
  }
  const DataSharding sharding = index == 0 ? plan.request.placement.sharding : DataSharding::replicated;
  return share_out(seen.mounted, seen.captured.tree, sharding, places);
}

// Those of the run that are worker `rank`'s: as many for each.
std::vector<Gpu> gpus_of_rank(const RunPlan& plan, const std::vector<Gpu>& gpus, int rank) {
  const auto each = static_cast<std::ptrdiff_t>(gpus.size()) / workers_of(plan.request);
  return {gpus.begin() + each * rank, gpus.begin() + each * (rank + 1)};
}

// A full run needs folders where its dataset may have something else.
Result<void> check_room_for_parts(const RunPlan& plan, const Tree& tree) {
  if (plan.request.type != RunType::full) return {};
  for (const char* const name : {"training", "test"}) {
    const auto entry = tree.find(TRY(RelPath::parse(name)));
    if (!entry || entry->kind != TreeEntry::Kind::file) continue;
    return fail(Errc::invalid, "the dataset '" + plan.request.dataset + "' has a file '" + name +
                                   "', where a full run keeps a part of its data; rename it");
  }
  return {};
}

}  // namespace

Result<StagedRun> stage(const RunPlan& plan, const std::vector<Gpu>& gpus, const RunFolder& folder, RunPorts& ports) {
  ObjectStore& objects = ports.store.objects();
  TRY(remove_tree(folder.workspace()));
  const int workers = workers_of(plan.request);
  for (int rank = 0; rank < workers; ++rank) {
    for (const Path& made : {folder.checkpoints(rank), folder.home(rank), folder.temporary(rank)})
      TRY(make_folders(made));
  }
  if (workers > 1) TRY(make_folders(folder.rendezvous()));
  TRY(copy_package(plan, folder, objects));
  auto python = TRY(python_for(plan, folder, ports));
  std::vector<std::string> readable;
  if (python) readable = TRY(folders_of_python(python->interpreter, ports.python_kit));
  const std::vector<Input> inputs = inputs_of(plan, folder);
  const MountKind kind = TRY(mount_for(plan, inputs, ports));
  std::vector<StagedInput> seen;
  std::vector<CapturedFolder> captured;
  std::vector<std::vector<OverlayMount>> overlays(static_cast<std::size_t>(workers));  // by rank
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    SeenData data = TRY(see(input, kind, folder, ports));
    if (seen.empty()) TRY(check_room_for_parts(plan, data.captured.tree));
    const std::vector<MountedDataset> mounted = TRY(share(plan, folder, i, data));
    for (std::size_t rank = 0; rank < mounted.size(); ++rank) {
      if (mounted[rank].overlay) overlays[rank].push_back(*mounted[rank].overlay);
    }
    seen.push_back({data.tree, kind, input.keep});
    captured.push_back(std::move(data.captured));
  }
  TRY(objects.sync());
  const Snapshots snapshots(ports.store.snapshots(), ports.store.journal());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    static_cast<void>(keep_cache(captured[i]));
    if (inputs[i].keep) TRY(snapshots.add({seen[i].tree, ports.now(), inputs[i].given, plan.run}));
  }
  const StagedData data{seen.front(), seen.size() > 1 ? std::optional(seen[1]) : std::nullopt};
  std::vector<Workspace> workspaces;
  for (int rank = 0; rank < workers; ++rank) {
    workspaces.push_back({folder.package(rank).string(), folder.home(rank).string(), folder.checkpoints(rank).string(),
                          gpus_of_rank(plan, gpus, rank), python, std::move(overlays[static_cast<std::size_t>(rank)]),
                          folder.temporary(rank).string(), readable, rank,
                          workers > 1 ? folder.rendezvous().string() : std::string()});
  }
  Workspace first = std::move(workspaces.front());
  workspaces.erase(workspaces.begin());
  return StagedRun{data, std::move(first), std::move(workspaces), std::move(captured)};
}

namespace {

Result<void> check_unchanged(const DataSource& source, const std::string& given, const StagedInput& staged,
                             const CapturedFolder* captured) {
  // The other mounts gave the job a copy of its own.
  if (staged.mount != MountKind::overlay) return {};
  // A checkout is the store's to keep, a folder the user's.
  const Errc code = source.tree ? Errc::corrupt : Errc::invalid;
  if (captured != nullptr) {
    const auto change = TRY(change_since(source.folder, *captured));
    if (change) return fail(code, *change + " while the run used it; run again once the data is at rest");
    return {};
  }
  const CapturedFolder now = TRY(capture(source.folder, {}));
  if (now.tree.digest() == staged.tree.digest) return {};
  return fail(code, "the dataset '" + given +
                        "' is no longer what it was when the run began; run again once the data is at rest");
}

}  // namespace

Result<void> check_data_unchanged(const RunPlan& plan, const StagedData& data,
                                  const std::vector<CapturedFolder>* captured) {
  TRY(check_unchanged(plan.data, plan.request.dataset, data.data, captured != nullptr ? &captured->at(0) : nullptr));
  if (!data.evaluation) return {};
  return check_unchanged(*plan.evaluation_data, *plan.request.evaluation_dataset, *data.evaluation,
                         captured != nullptr ? &captured->at(1) : nullptr);
}

}  // namespace trainyard
