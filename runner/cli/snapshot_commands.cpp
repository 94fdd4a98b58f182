// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/named_tree.hpp"
#include "runner/engine/snapshot_removal.hpp"
#include "runner/engine/store_check.hpp"
#include "runner/processes/clock.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Snapshots snapshots_of(const Store& store) { return {store.snapshots(), store.journal()}; }

Json to_json(const PurgedFile& file) {
  return {{"path", file.path},
          {"sha256", file.tombstone.digest.hex()},
          {"purged_at", file.tombstone.purged_at.text()},
          {"reason", file.tombstone.reason}};
}

}  // namespace

Result<ExitCode> perform(const command::SnapshotCreate& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Path folder = TRY(real_path(command.folder));
  if (!is_folder(folder)) return fail(Errc::invalid, "'" + folder.string() + "' is not a folder");
  StatusLine line;
  CaptureOptions options;
  options.objects = &store.objects();
  options.cache = store.stat_cache_of(folder);
  options.progress = [&](const CaptureProgress& progress) {
    const double fraction =
        progress.bytes == 0 ? 0 : static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes);
    line.show(bar(fraction) + "  reading " + std::to_string(progress.files_done) + " of " +
              plural(progress.files, "file"));
  };
  CapturedFolder captured = TRY(capture(folder, options));
  const Snapshot snapshot{TRY(store_tree(captured, store.objects())), now(), folder.string(), std::nullopt};
  TRY(store.objects().sync());
  TRY(snapshots_of(store).add(snapshot));
  static_cast<void>(keep_cache(captured));
  store.objects().release();
  line.clear();
  if (invocation.output == Output::json) {
    print_json(to_json(snapshot));
  } else {
    print("kept " + folder.string() + " as snapshot " + snapshot.id() + " (" + content_text(snapshot.tree) + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::SnapshotList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"SNAPSHOT", "CREATED", "FILES", "SIZE", "SOURCE"}};
  for (const Snapshot& snapshot : TRY(snapshots_of(store).list())) {
    list.push_back(to_json(snapshot));
    rows.push_back({snapshot.id(), snapshot.created_at.short_text(), std::to_string(snapshot.tree.files),
                    size_text(snapshot.tree.bytes), printable(snapshot.source)});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "no snapshots yet; 'trainyard snapshot create DIR' makes one\n" : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::SnapshotCheckout& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Snapshot snapshot = TRY(snapshots_of(store).find(command.id));
  const Path folder = TRY(absolute_path(command.folder));
  StatusLine line;
  const Tree tree = TRY(load_kept_tree("snapshot " + snapshot.id(), snapshot.tree.digest, store.objects()));
  const auto written = checkout(tree, store.objects(), folder, progress_on(line, "wrote"));
  if (!written.ok()) return error_of_kept_tree(written.error(), tree, store.objects());
  line.clear();
  if (invocation.output == Output::json) {
    print_json({{"snapshot", snapshot.id()}, {"folder", folder.string()}});
  } else {
    print("wrote snapshot " + snapshot.id() + " to " + folder.string() + " (" + content_text(snapshot.tree) + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::SnapshotVerify& command, const Invocation& invocation) {
  const VerifySample sample = TRY(parse_sample(command.sample, command.seed));
  const Store store = TRY(open_store(invocation));
  const Snapshot snapshot = TRY(snapshots_of(store).find(command.id));
  const Tree tree = TRY(load_kept_tree("snapshot " + snapshot.id(), snapshot.tree.digest, store.objects()));
  StatusLine line;
  const TreeVerdict verdict = TRY(verify_tree(tree, store.objects(), progress_on(line, "read"), sample));
  line.clear();
  const bool good = verdict.problems.empty();
  const bool complete = verdict.purged.empty();
  if (invocation.output == Output::json) {
    Json purged = Json::array();
    for (const PurgedFile& file : verdict.purged) purged.push_back(to_json(file));
    print_json({{"snapshot", snapshot.id()},
                {"verified", good},
                {"complete", complete},
                {"problems", verdict.problems},
                {"purged", std::move(purged)},
                {"sample", sample_json(sample)}});
  } else if (good && complete) {
    print("snapshot " + snapshot.id() + " is whole (" + content_text(snapshot.tree) + sample_text(sample) + ")\n");
  } else if (good) {
    print("snapshot " + snapshot.id() + " is incomplete by purge: " + plural(verdict.purged.size(), "file") +
          " taken out on purpose, the others are whole" + sample_text(sample) + "\n");
    for (const PurgedFile& file : verdict.purged) {
      print("  " + printable(file.path + ": " + file.tombstone.purged_at.short_text() + ", " + file.tombstone.reason) +
            "\n");
    }
  }
  for (const std::string& problem : verdict.problems) complain(problem);
  if (!good) return ExitCode::store;
  return complete ? ExitCode::ok : ExitCode::no;
}

Result<ExitCode> perform(const command::SnapshotRemove& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Snapshot snapshot = TRY(snapshots_of(store).find(command.id));
  const auto versions = command.despite_versions ? TrainedVersions::lose_snapshot : TrainedVersions::keep_snapshot;
  TRY(remove_snapshot(store, snapshot, versions, now(), waiting_for_writers(command.no_wait)));
  if (invocation.output == Output::json) {
    print_json({{"snapshot", snapshot.id()}, {"removed", true}});
  } else {
    print("removed snapshot " + snapshot.id() + "; 'trainyard store gc' shows what its bytes still take\n");
  }
  return ExitCode::ok;
}

}  // namespace trainyard
