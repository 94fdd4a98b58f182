// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_roots.hpp"

#include "runner/core/run_results.hpp"
#include "runner/engine/run_journal.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

Error unreadable(const Path& path, const Error& why) {
  const Errc code = why.code == Errc::incompatible || why.code == Errc::io ? why.code : Errc::corrupt;
  return fail(code, "'" + path.string() + "' cannot be read: " + why.message);
}

// None when there is no such file.
template <class Read>
auto read_document(const Path& path, const char* what, Read read)
    -> Result<std::optional<typename decltype(read(std::declval<const Json&>()))::Value>> {
  using Value = typename decltype(read(std::declval<const Json&>()))::Value;
  const auto text = read_file(path, limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::optional<Value>();
  if (!text.ok()) return unreadable(path, text.error());
  const auto json = parse_json(*text, what);
  if (!json.ok()) return unreadable(path, json.error());
  auto value = read(*json);
  if (!value.ok()) return unreadable(path, value.error());
  return std::optional<Value>(std::move(*value));
}

Result<bool> ends_torn(const Path& path) {
  const auto text = read_file(path, std::size_t{1} << 32U);
  if (!text.ok() && text.error().code == Errc::not_found) return false;
  if (!text.ok()) return text.error();
  return !text->empty() && text->back() != '\n';
}

Result<std::vector<JournalEntry>> whole_journal(const RunFolder& folder, RunLife life) {
  const Path path = folder.journal();
  auto journal = read_journal(folder);
  if (!journal.ok()) return unreadable(path, journal.error());
  if (life == RunLife::over && TRY(ends_torn(path)))
    return unreadable(path, fail(Errc::corrupt, "its last line is torn, although the run is over"));
  return journal;
}

}  // namespace

Result<std::optional<StoredRun>> read_stored_run(const RunFolder& folder, RunLife life) {
  auto plan = TRY(read_document(folder.plan(), "the run plan", run_plan_from));
  auto journal = TRY(whole_journal(folder, life));
  if (!plan) {
    // Between its folder and its plan, a run is active; one that was given up is gone as a whole.
    if ((life == RunLife::active && journal.empty()) || !is_there(folder.path())) return std::optional<StoredRun>();
    return fail(Errc::corrupt, "the run folder '" + folder.path().string() + "' has no plan.json");
  }
  StoredRun run{std::move(*plan), std::move(journal), std::nullopt};
  for (const JournalEntry& entry : run.journal) {
    if (const CollectedOutputs* const outputs = outputs_of(entry.state)) run.artifacts = outputs->artifacts;
  }
  // A run that failed tells of its artifacts in its results alone.
  const auto told = TRY(read_document(folder.results(), "the results", artifacts_in_results));
  if (told && *told) run.artifacts = *told;
  return std::optional(std::move(run));
}

std::vector<StoreRoot> roots_of(const StoredRun& run, RunLife life) {
  using Files = StoreRoot::Files;
  std::vector<StoreRoot> roots;
  const std::string owner = run.plan.name.text() + " (" + run.plan.run.text() + ")";
  const auto add = [&](const char* part, const Digest& tree, Files files) {
    for (StoreRoot& root : roots) {
      if (root.part != part || root.tree != tree) continue;
      if (files == Files::needed) root.files = files;
      return;
    }
    roots.push_back({StoreRoot::Kind::run, owner, part, tree, files});
  };
  const bool active = life == RunLife::active;
  // A folder of the user's own is in the store by its digests; what was pinned is read again until the run is over.
  const auto add_pinned = [&](const char* part, const DataSource& source) {
    if (source.tree) add(part, source.tree->digest, active ? Files::needed : Files::not_needed);
  };
  add_pinned("data", run.plan.data);
  if (run.plan.evaluation_data) add_pinned("evaluation data", *run.plan.evaluation_data);
  if (active) add("package", run.plan.parent.content.tree.digest, Files::needed);
  for (const JournalEntry& entry : run.journal) {
    if (const auto data = data_of(entry.state)) {
      add("data", data->data.tree.digest, Files::not_needed);
      if (data->evaluation) add("evaluation data", data->evaluation->tree.digest, Files::not_needed);
    }
    const CollectedOutputs* const outputs = outputs_of(entry.state);
    // It may yet be published; once it is, its version keeps it. What is no version is the run's to keep.
    const bool kept = active || std::holds_alternative<state::Reproduced>(entry.state);
    if (outputs != nullptr && outputs->package && kept) add("package", outputs->package->tree.digest, Files::needed);
  }
  if (run.artifacts) add("artifacts", run.artifacts->digest, Files::needed);
  return roots;
}

Result<std::set<Digest>> trees_in_use(const Store& store) {
  std::set<Digest> trees;
  const RunFolders folders(store.runs(), store.active());
  for (const RunId& id : TRY(folders.active())) {
    const auto run = TRY(read_stored_run(folders.folder(id), RunLife::active));
    if (!run) continue;
    if (run->plan.data.tree) trees.insert(run->plan.data.tree->digest);
    if (run->plan.evaluation_data && run->plan.evaluation_data->tree)
      trees.insert(run->plan.evaluation_data->tree->digest);
  }
  return trees;
}

}  // namespace trainyard
