// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/repeat_guard.hpp"

#include "runner/core/run_definition.hpp"
#include "runner/engine/data_return.hpp"
#include "runner/engine/run_roots.hpp"
#include "storage/packages/registry.hpp"

namespace trainyard {

namespace {

// The content of all data of the run; none where it cannot be read, which the run tells better.
Result<std::optional<std::string>> content_of(const RunPlan& plan, RunPorts& ports) {
  std::optional<Digest> contents[2];
  const DataSource* const sources[] = {&plan.data, plan.evaluation_data ? &*plan.evaluation_data : nullptr};
  for (std::size_t i = 0; i < 2; ++i) {
    if (sources[i] == nullptr) continue;
    const auto tree =
        sources[i]->tree ? Result<TreeSummary>(*sources[i]->tree) : read_folder(sources[i]->folder, ports);
    if (!tree.ok() && tree.error().code == Errc::cancelled) return tree.error();
    if (!tree.ok()) return std::optional<std::string>();
    contents[i] = tree->digest;
  }
  return std::optional(data_text(*contents[0], contents[1]));
}

// Whether the run was given the secrets that this process knows. None of either is the same, too.
Result<bool> had_same_secrets(const RunFacts& run, RunPorts& ports) {
  const RunFolders folders(ports.store.runs(), ports.store.active());
  const auto stored = read_stored_run(folders.folder(TRY(RunId::parse(run.id))), RunLife::over);
  // What cannot be read is nobody's repeat, and whoever lists runs is told of it.
  if (!stored.ok() || !*stored) return false;
  for (const auto& [name, digest] : (*stored)->plan.secrets) {
    const auto secret = ports.secrets.find(name);
    if (secret == ports.secrets.end() || TRY(SaltedDigest::of(secret->second, digest.salt)) != digest) return false;
  }
  return true;
}

// Somebody who deleted the version wants another one.
Result<bool> is_still_there(const RunFacts& run, const RunPlan& plan, const PackageRegistry& registry) {
  const PackageVersion version = TRY(PackageVersion::parse(run.made));
  const auto made = registry.find({plan.parent.content.name, version});
  if (!made.ok() && made.error().code != Errc::not_found) return made.error();
  return made.ok();
}

// No version of the package is a run's work, so no run can have made one of this.
Result<bool> never_trained(const RunPlan& plan, const PackageRegistry& registry) {
  for (const VersionRecord& version : TRY(registry.versions(plan.parent.content.name)))
    if (version.content.run) return false;
  return true;
}

}  // namespace

Result<void> refuse_repeat(const RunPlan& plan, RunPorts& ports) {
  if (!ports.finished_like || !trains(plan.request.type) || plan.request.reproduces) return {};
  const PackageRegistry registry(ports.store.packages(), ports.store.journal());
  if (TRY(never_trained(plan, registry))) return {};
  const std::vector<RunFacts> runs = TRY(ports.finished_like(definition_of(plan).hex()));
  if (runs.empty()) return {};
  const auto wanted = TRY(content_of(plan, ports));
  for (const RunFacts& run : runs) {
    if (run.data != wanted || !TRY(is_still_there(run, plan, registry))) continue;
    if (!plan.secrets.empty() && !TRY(had_same_secrets(run, ports))) continue;
    const std::string package = plan.parent.content.name.text();
    return fail(Errc::exists, "the run " + run.name + " has made " + package + "@" + run.made + " of " + package + "@" +
                                  run.version +
                                  " with the same data and the same parameters; give --allow-repeat to do it again");
  }
  return {};
}

}  // namespace trainyard
