// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/snapshot_removal.hpp"

#include <algorithm>

#include "runner/engine/run_roots.hpp"
#include "storage/packages/registry.hpp"

namespace trainyard {

namespace {

bool is_trained_on(const StoredRun& run, const Snapshot& snapshot) {
  return std::any_of(run.journal.begin(), run.journal.end(), [&](const JournalEntry& entry) {
    const auto data = data_of(entry.state);
    const auto is_it = [&](const StagedInput& input) {
      return input.snapshot && input.tree.digest == snapshot.tree.digest;
    };
    return data && (is_it(data->data) || (data->evaluation && is_it(*data->evaluation)));
  });
}

Result<bool> is_made_from(const VersionRecord& version, const Snapshot& snapshot, const RunFolders& folders) {
  if (!version.content.run) return false;
  if (version.content.run == snapshot.run) return true;
  const RunFolder folder = folders.folder(*version.content.run);
  if (!is_there(folder.path())) return false;
  const auto run = TRY(read_stored_run(folder, RunLife::active));
  return run && is_trained_on(*run, snapshot);
}

// As "digits@1.1", in the order of names and numbers.
Result<std::vector<std::string>> versions_made_from(const Store& store, const Snapshot& snapshot) {
  const PackageRegistry registry(store.packages(), store.journal());
  const RunFolders folders(store.runs(), store.active());
  std::vector<std::string> made;
  for (const PackageName& name : TRY(registry.names())) {
    for (const VersionRecord& version : TRY(registry.versions(name))) {
      if (TRY(is_made_from(version, snapshot, folders))) made.push_back(name.text() + "@" + version.version.text());
    }
  }
  return made;
}

Result<void> refuse_while_a_run_has_it(const Store& store, const Snapshot& snapshot) {
  const RunFolders folders(store.runs(), store.active());
  for (const RunId& id : TRY(folders.active())) {
    const auto run = TRY(read_stored_run(folders.folder(id), RunLife::active));
    if (run && is_trained_on(*run, snapshot)) {
      return fail(Errc::unavailable, "the run '" + run->plan.name.text() + "' is being trained on the snapshot " +
                                         snapshot.id() + "; try again once it is over");
    }
  }
  return {};
}

}  // namespace

Result<void> remove_snapshot(const Store& store, const Snapshot& snapshot, TrainedVersions versions, Instant now,
                             const WaitForWriters& writers) {
  // A run that found the snapshot there holds the store until its journal says so.
  const WriteHold hold = TRY(hold_alone(store, writers));
  TRY(refuse_while_a_run_has_it(store, snapshot));
  if (versions == TrainedVersions::keep_snapshot) {
    const std::vector<std::string> made = TRY(versions_made_from(store, snapshot));
    if (!made.empty()) {
      return fail(Errc::invalid, "the snapshot " + snapshot.id() + " is the data that " + made.front() +
                                     (made.size() == 1 ? "" : " and " + std::to_string(made.size() - 1) + " more") +
                                     " was trained on; give --despite-versions to remove it all the same");
    }
  }
  return Snapshots(store.snapshots(), store.journal()).remove(snapshot, now);
}

}  // namespace trainyard
