// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/version_removal.hpp"

#include "runner/engine/run_roots.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

namespace {

Result<void> refuse_while_a_run_uses_it(const Store& store, const VersionRecord& version, const std::string& text) {
  const RunFolders folders(store.runs(), store.active());
  for (const RunId& id : TRY(folders.active())) {
    const auto run = TRY(read_stored_run(folders.folder(id), RunLife::active));
    if (!run) continue;
    const VersionRecord& parent = run->plan.parent;
    const bool is_parent = parent.version == version.version && parent.content.name == version.content.name;
    // Its results are still to tell of what it made.
    if (!is_parent && version.content.run != id) continue;
    return fail(Errc::unavailable, "the run '" + run->plan.name.text() + "' " + (is_parent ? "uses " : "is making ") +
                                       text +
                                       " and is not over; try again then, or stop it with 'trainyard runs stop'");
  }
  return {};
}

}  // namespace

Result<void> remove_version(const Store& store, const VersionRecord& version, const Decision& decision) {
  const PackageName& name = version.content.name;
  const std::string text = name.text() + "@" + version.version.text();
  const PackageDecisions decisions(store.packages(), store.journal());
  const Standing standing = standing_of(TRY(decisions.of(name)));
  if (const auto labels = standing.labels_of(version.version); !labels.empty()) {
    return fail(Errc::exists, text + " is labelled '" + labels.front() +
                                  "'; move the label first, with 'trainyard package label' or 'unlabel'");
  }
  if (standing.approval_of(version.version) == Approval::approved)
    return fail(Errc::exists, text + " is approved; reject it first, with 'trainyard package reject'");
  TRY(refuse_while_a_run_uses_it(store, version, text));
  TRY(decisions.add(name, decision));
  return PackageRegistry(store.packages(), store.journal()).remove(name, version.version, decision.time);
}

}  // namespace trainyard
