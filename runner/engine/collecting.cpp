// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/collecting.hpp"

#include "runner/engine/data_overlap.hpp"
#include "runner/engine/inner_folder.hpp"
#include "runner/jobs/event_tail.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/python/python_interpreter.hpp"
#include "storage/packages/package_check.hpp"
#include "storage/packages/registry.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

// What a package leaves behind is its own doing: a link in its artifacts is its error, not the user's input.
Error blame_package(Error error) {
  if (error.code == Errc::invalid || error.code == Errc::incompatible || error.code == Errc::not_found)
    error.code = Errc::package_failed;
  return error;
}

Result<TreeSummary> keep_package(const RunPlan& plan, const RunFolder& folder, ObjectStore& objects, Tree& tree) {
  CaptureOptions options;
  options.objects = &objects;
  options.wanted = [&](const RelPath& path) { return is_package_content(plan.layout, path); };
  auto captured = capture(folder.package(), options);
  if (!captured.ok()) return blame_package(captured.error());
  tree = std::move(captured->tree);
  return store_tree(tree, objects);
}

Result<ZipSummary> zip_of(const RunPlan& plan, const RunFolder& folder, const Tree& tree, const Path& scratch) {
  const Path zip = scratch_name(scratch, "zip");
  auto summary = pack_folder(folder.package(), plan.parent.content.name.text(), tree, zip);
  TRY(remove_file(zip));
  if (!summary.ok()) return blame_package(summary.error());
  return summary;
}

Result<CheckedPackage> check_again(const RunPlan& plan, const RunFolder& folder, const RunPorts& ports) {
  PythonInterpreter python(plan.request.python.value_or(""), ports.python_kit);
  return check_package(folder.package(), python, plan.parent.content.name.text());
}

Result<CollectedOutputs::Package> collect_package(const RunPlan& plan, const RunFolder& folder, RunPorts& ports) {
  const Store& store = ports.store;
  if (const auto checked = check_again(plan, folder, ports); !checked.ok()) {
    return within("the package damaged itself while it ran", blame_package(checked.error()));
  }
  Tree tree;
  const TreeSummary package = TRY(keep_package(plan, folder, store.objects(), tree));
  const ZipSummary zip = TRY(zip_of(plan, folder, tree, store.scratch()));
  return CollectedOutputs::Package{package, zip};
}

}  // namespace

Result<void> refuse_secrets(const RunPlan& plan, const RunFolder& folder, const SecretForms& secrets) {
  if (secrets.empty()) return {};
  const auto wanted = [&](const RelPath& path) {
    return is_package_content(plan.layout, path) || path.is_within(plan.layout.artifacts);
  };
  auto leaks = find_leaks(folder.package(), secrets, wanted);
  for (int rank = 1; rank < workers_of(plan.request); ++rank) {
    const auto more = find_leaks(folder.package(rank), secrets,
                                 [&](const RelPath& path) { return path.is_within(plan.layout.artifacts); });
    leaks.insert(leaks.end(), more.begin(), more.end());
  }
  if (leaks.empty()) return {};
  const SecretLeak& first = leaks.front();
  return fail(Errc::package_failed,
              "the file '" + first.shown + "' cannot be kept, because " + first.why() +
                  (leaks.size() == 1 ? "" : ", and " + std::to_string(leaks.size() - 1) + " more cannot either") +
                  "; what a package leaves must not hold a secret");
}

Result<std::vector<SecretLeak>> remove_secrets(const RunPlan& plan, const RunFolder& folder,
                                               const SecretForms& secrets) {
  std::vector<SecretLeak> leaks;
  if (secrets.empty()) return leaks;
  std::vector<Path> places;
  for (int rank = 0; rank < workers_of(plan.request); ++rank) {
    places.push_back(folder.checkpoints(rank));
    if (is_inner_folder(folder.package(rank), plan.layout.artifacts))
      places.push_back(folder.package(rank) / plan.layout.artifacts.bytes());
  }
  for (const Path& place : places) {
    for (SecretLeak& leak : TRY(remove_leaks(place, secrets))) leaks.push_back(std::move(leak));
  }
  return leaks;
}

namespace {

// What the workers other than rank 0 made goes below its artifacts, as ranks/1 and so on.
Result<void> gather_artifacts(const RunPlan& plan, const RunFolder& folder) {
  for (int rank = 1; rank < workers_of(plan.request); ++rank) {
    const Path made = folder.package(rank) / plan.layout.artifacts.bytes();
    const bool real = is_inner_folder(folder.package(rank), plan.layout.artifacts);
    if (!real || TRY(list_folder(made)).empty()) continue;
    const RelPath all = TRY(RelPath::parse(plan.layout.artifacts.bytes() + "/ranks"));
    const Path place = folder.package() / all.bytes() / std::to_string(rank);
    if (!is_there(place.parent_path())) TRY(make_folder(place.parent_path()));
    if (!is_inner_folder(folder.package(), all) || is_there(place)) {
      return fail(Errc::package_failed, "the artifacts of rank 0 have something of their own at 'ranks/" +
                                            std::to_string(rank) + "', where those of that rank belong");
    }
    TRY(rename_path(made, place));
  }
  return {};
}

}  // namespace

Result<void> keep_artifacts(const RunPlan& plan, const RunFolder& folder) {
  const Path made = folder.package() / plan.layout.artifacts.bytes();
  if (is_there(folder.artifacts()) || !TRY(status_of(made))) return {};
  if (!is_inner_folder(folder.package(), plan.layout.artifacts)) {
    return fail(Errc::package_failed, "the artifacts folder '" + plan.layout.artifacts.text() +
                                          "' is no folder any more, or a link leads to it; nothing of it is kept");
  }
  TRY(gather_artifacts(plan, folder));
  return rename_path(made, folder.artifacts());
}

Result<TreeSummary> store_artifacts(const RunFolder& folder, ObjectStore& objects) {
  CaptureOptions options;
  options.objects = &objects;
  const CapturedFolder captured = TRY(capture(folder.artifacts(), options));
  const TreeSummary tree = TRY(store_tree(captured.tree, objects));
  TRY(objects.sync());
  return tree;
}

Result<void> restore_artifacts(const RunFolder& folder, const TreeSummary& kept, const Store& store) {
  const auto found = capture(folder.artifacts(), {});
  if (found.ok() && found->tree.digest() == kept.digest) return {};
  const auto tree = load_tree(kept.digest, store.objects());
  if (!tree.ok()) return {};
  const Path made = scratch_name(store.scratch(), "artifacts");
  TRY(make_folder(made));
  if (!materialise(*tree, store.objects(), made).ok()) return remove_tree(made);
  TRY(remove_tree(folder.artifacts()));
  return rename_path(made, folder.artifacts());
}

Result<CollectedOutputs> collect(const RunPlan& plan, const RunFolder& folder, const StagedData& data,
                                 RunPorts& ports) {
  const Store& store = ports.store;
  const JobWord word = TRY(last_word(JobFolder(folder.attempt(TRY(folder.last_attempt()))).events()));
  const bool on_dataset = word.trained_on == (folder.package() / plan.layout.data.bytes()).string();
  std::optional<Evaluation> evaluation;
  if (evaluates(plan.request.type)) {
    if (!word.score) return fail(Errc::package_failed, "evaluate: the package ended without a score");
    const TrainedOn trained_on = on_dataset ? TrainedOn::dataset : TrainedOn::training_part;
    auto overlap = TRY(find_overlap(plan, folder, data, trained_on, store));
    evaluation = Evaluation{*word.score, std::move(overlap)};
  }
  std::optional<CollectedOutputs::Package> package;
  if (trains(plan.request.type)) package = TRY(collect_package(plan, folder, ports));
  TRY(keep_artifacts(plan, folder));
  const auto artifacts = store_artifacts(folder, store.objects());
  if (!artifacts.ok()) return within("the artifacts cannot be kept", blame_package(artifacts.error()));
  return CollectedOutputs{std::move(package), *artifacts, std::move(evaluation), on_dataset};
}

Result<VersionRecord> publish(const RunPlan& plan, const RunFolder& folder, const CollectedOutputs& outputs,
                              RunPorts& ports) {
  const PackageRegistry registry(ports.store.packages(), ports.store.journal());
  const CheckedPackage checked = TRY(check_again(plan, folder, ports));
  const std::optional<double> score =
      outputs.evaluation ? std::optional(outputs.evaluation->score) : std::optional<double>();
  return registry.publish_minor({plan.parent.content.name, ports.now(), plan.parent.version, plan.run,
                                 outputs.package->tree, outputs.package->zip, checked.abi,
                                 "trained from " + plan.parent.version.text() + " by run " + plan.name.text(), score});
}

Result<std::optional<VersionRecord>> published_before(const RunPlan& plan, const Store& store) {
  const PackageRegistry registry(store.packages(), store.journal());
  auto made = TRY(registry.made_by(plan.parent.content.name, plan.run));
  if (made) TRY(registry.sync(plan.parent.content.name));
  return made;
}

}  // namespace trainyard
