// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/training_data.hpp"

#include "runner/engine/run_roots.hpp"
#include "storage/packages/registry.hpp"

namespace trainyard {

Result<NamedTree> data_of_run(const Store& store, const RunId& run) {
  const RunFolders folders(store.runs(), store.active());
  const auto stored = TRY(read_stored_run(folders.folder(run), RunLife::active));
  const auto data = stored && !stored->journal.empty() ? data_of(stored->journal.back().state) : std::nullopt;
  if (!data) return fail(Errc::not_found, "the run " + run.text() + " ended before its data was read");
  const std::string name = "data of run " + stored->plan.name.text() + " (" + run.text() + ")";
  Tree tree = TRY(load_kept_tree(name, data->data.tree.digest, store.objects()));
  return NamedTree{name, std::move(tree)};
}

Result<NamedTree> training_data_of(const Store& store, const PackageReference& reference) {
  const VersionRecord version = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  const std::string name = version.content.name.text() + "@" + version.version.text();
  if (!version.content.run)
    return fail(Errc::not_found,
                "no run of this store made the version " + name + ", so its training data is not known");
  const RunId& run = *version.content.run;
  if (!is_there(RunFolders(store.runs(), store.active()).folder(run).path())) {
    return fail(Errc::not_found, "the run " + run.text() + " that made the version " + name +
                                     " was deleted, and its record of the training data with it");
  }
  NamedTree named = TRY(data_of_run(store, run));
  named.name = "training data of version " + name;
  return named;
}

}  // namespace trainyard
