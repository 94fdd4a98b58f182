// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/garbage.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runner/engine/run_roots.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

Error nothing_removed(const Error& error) { return fail(error.code, "nothing is removed, because " + error.message); }

using Roots = Result<std::vector<StoreRoot>>;

Result<std::vector<bool>> live_objects(const Store& store, const Roots& roots, ObjectCensus& census,
                                       MissingObjects missing, const std::optional<Digest>& except) {
  if (!roots.ok()) return nothing_removed(roots.error());
  auto marked = mark(*roots, store.objects(), census, except);
  if (!marked.ok()) return nothing_removed(marked.error());
  if (missing == MissingObjects::refuse && !marked->missing.empty()) {
    const auto needs = needs_of({*marked->missing.begin()}, *roots, store.objects());
    return fail(Errc::corrupt, "nothing is removed, because the store has lost " +
                                   std::to_string(marked->missing.size()) + " of the objects that it has to keep (" +
                                   (needs.empty() ? marked->missing.begin()->hex() : text_of(needs.front(), *roots)) +
                                   "); 'trainyard store fsck --repair' may find them, else give --despite-damage");
  }
  return std::move(marked->live);
}

// Somebody may begin to write directly after.
Result<void> wait_for_writers(const Store& store, const WaitForWriters& writers) {
  TRY(hold_alone(store, writers));
  return {};
}

bool has_file(const Tree& tree, const Digest& digest) {
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Digest* const file = tree.view(i).digest;
    if (file != nullptr && *file == digest) return true;
  }
  return false;
}

Result<void> refuse_while_used(const std::vector<Need>& needs, const std::vector<StoreRoot>& roots,
                               const Store& store) {
  const std::vector<RunId> active = TRY(RunFolders(store.runs(), store.active()).active());
  for (const Need& need : needs) {
    const StoreRoot& root = roots[need.root];
    const bool used = std::any_of(active.begin(), active.end(),
                                  [&](const RunId& id) { return root.owner.ends_with("(" + id.text() + ")"); });
    if (root.kind == StoreRoot::Kind::run && used)
      return fail(Errc::unavailable, text_of(root) + " uses the file; try again once the run is over");
  }
  return {};
}

// The files with these bytes that runs left for people.
Result<std::vector<Path>> copies_in_runs(const Store& store, const Digest& digest) {
  std::vector<Path> copies;
  const RunFolders folders(store.runs(), store.active());
  for (const RunId& id : TRY(folders.list())) {
    const RunFolder folder = folders.folder(id);
    const auto run = read_stored_run(folder, RunLife::active);
    if (!run.ok() || !*run || !(*run)->artifacts) continue;
    const auto tree = load_tree((*run)->artifacts->digest, store.objects());
    for (std::size_t i = 0; tree.ok() && i < tree->size(); ++i) {
      const TreeEntry entry = tree->entry(i);
      if (entry.digest == digest) copies.push_back(folder.artifacts() / entry.path.bytes());
    }
  }
  return copies;
}

// People may have changed it since.
Result<void> remove_copy(const Path& path, const Digest& digest) {
  const auto fd = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!fd.ok() && fd.error().code == Errc::not_found) return {};
  if (!fd.ok()) return fd.error();
  if (TRY(hash_file(fd->get(), path)).digest != digest) return {};
  return remove_file(path);
}

}  // namespace

Result<SweepPlan> plan_garbage(const Store& store, MissingObjects missing) {
  // No collector may remove what a root names while it is looked for. A writer puts what it names later on, so the roots
  // come first: of one that came after the census, all would look lost.
  const WriteHold hold = TRY(WriteHold::shared(store.root() / "objects"));
  const Roots roots = read_store_roots(store).complete();
  ObjectCensus census = TRY(ObjectCensus::take(store.objects()));
  return plan_sweep(store.objects(), census, TRY(live_objects(store, roots, census, missing, std::nullopt)));
}

Result<GarbageReport> collect_garbage(const Store& store, const SweepPlan& plan, Instant now,
                                      const GarbageOptions& options) {
  TRY(wait_for_writers(store, options.writers));
  const auto live = [&](ObjectCensus& census) {
    return live_objects(store, read_store_roots(store).complete(), census, options.missing, std::nullopt);
  };
  GarbageReport report;
  report.objects = TRY(sweep(store.objects(), plan, live, options.progress));
  if (report.objects.removed_objects > 0) {
    TRY(store.journal().tell({StoreEvent::Action::objects_collected, now,
                              std::to_string(report.objects.removed_objects) + " objects that nothing needed"}));
  }
  report.leavings = TRY(remove_leavings(store, now));
  return report;
}

Result<PurgePreview> preview_purge(const Store& store, const Digest& digest) {
  PackObjects& objects = store.objects();
  ObjectCensus census = TRY(ObjectCensus::take(objects));
  PurgePreview preview{digest, 0, {}, {}, {}, objects.tombstone(digest)};
  const auto number = census.find(digest);
  if (!number && !preview.earlier)
    return fail(Errc::not_found, "the store has no file with the SHA-256 " + digest.hex());
  preview.copies = TRY(copies_in_runs(store, digest));
  if (!number) {
    preview.bytes = preview.earlier->bytes;
    return preview;
  }
  const std::vector<StoreRoot> roots = TRY(read_store_roots(store).complete());
  const std::vector<Need> needs = needs_of({digest}, roots, objects);
  TRY(refuse_while_used(needs, roots, store));
  const auto list = TRY(objects.list_of(digest));
  preview.bytes = list ? list->total : census.at(*number).place.length;
  for (const Need& need : needs) {
    if (need.path.empty())
      return fail(Errc::invalid, digest.hex() + " is not a file but the tree of " + text_of(roots[need.root]));
    preview.needs.push_back(text_of(need, roots));
    std::string owner = text_of(roots[need.root]);
    if (std::find(preview.owners.begin(), preview.owners.end(), owner) == preview.owners.end())
      preview.owners.push_back(std::move(owner));
  }
  if (needs.empty() && TRY(mark(roots, objects, census)).live[*number])
    return fail(Errc::invalid, digest.hex() + " is not a file but a part of one");
  return preview;
}

Result<SweepReport> purge_file(const Store& store, const PurgePreview& preview, const std::string& reason, Instant now,
                               const GarbageOptions& options) {
  TRY(wait_for_writers(store, options.writers));
  TRY(store.journal().tell(
      {StoreEvent::Action::object_purged, now, preview.digest.hex(), std::nullopt, preview.digest}));
  for (const Path& copy : preview.copies) TRY(remove_copy(copy, preview.digest));
  TRY(remove_checkouts(store, [&](const Digest& digest) {
    const auto tree = load_tree(digest, store.objects());
    return !tree.ok() || has_file(*tree, preview.digest);
  }));
  const auto live = [&](ObjectCensus& census) {
    return live_objects(store, read_store_roots(store).complete(), census, MissingObjects::accept, preview.digest);
  };
  return purge(store.objects(), {preview.digest, preview.bytes, now, reason, preview.owners}, live);
}

}  // namespace trainyard
