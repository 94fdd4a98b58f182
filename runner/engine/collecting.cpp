// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/collecting.hpp"

#include "storage/packages/package_check.hpp"
#include "storage/packages/registry.hpp"
#include "storage/packages/zip_writer.hpp"

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

}  // namespace

Result<void> keep_artifacts(const RunPlan& plan, const RunFolder& folder) {
  const Path made = folder.package() / plan.layout.artifacts.bytes();
  if (is_there(folder.artifacts()) || !is_there(made)) return {};
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

Result<CollectedOutputs> collect(const RunPlan& plan, const RunFolder& folder, const Store& store) {
  if (const auto checked = check_package(folder.package()); !checked.ok()) {
    return within("the package damaged itself while it ran", blame_package(checked.error()));
  }
  ObjectStore& objects = store.objects();
  Tree tree;
  const TreeSummary package = TRY(keep_package(plan, folder, objects, tree));
  const ZipSummary zip = TRY(zip_of(plan, folder, tree, store.scratch()));
  TRY(keep_artifacts(plan, folder));
  const auto artifacts = store_artifacts(folder, objects);
  if (!artifacts.ok()) return within("the artifacts cannot be kept", blame_package(artifacts.error()));
  return CollectedOutputs{package, zip, *artifacts};
}

Result<VersionRecord> publish(const RunPlan& plan, const RunFolder& folder, const CollectedOutputs& outputs,
                              const Store& store, Instant now) {
  const PackageRegistry registry(store.packages(), store.scratch());
  const CheckedPackage checked = TRY(check_package(folder.package()));
  return registry.publish_minor({plan.parent.content.name, now, plan.parent.version, plan.run, outputs.package,
                                 outputs.zip, checked.abi,
                                 "trained from " + plan.parent.version.text() + " by run " + plan.name.text()});
}

Result<std::optional<VersionRecord>> published_before(const RunPlan& plan, const Store& store) {
  const PackageRegistry registry(store.packages(), store.scratch());
  auto made = TRY(registry.made_by(plan.parent.content.name, plan.run));
  if (made) TRY(registry.sync(plan.parent.content.name));
  return made;
}

}  // namespace trainyard
