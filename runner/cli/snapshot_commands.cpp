// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"

namespace trainyard {

namespace {

Snapshots snapshots_of(const Store& store) { return {store.snapshots(), store.scratch()}; }

TreeProgress progress_on(StatusLine& line, const std::string& what) {
  return [&line, what](std::uint64_t done, std::uint64_t all) {
    line.show(bar(static_cast<double>(done) / static_cast<double>(all)) + "  " + what + " " + std::to_string(done) +
              " of " + plural(all, "file"));
  };
}

std::string content_text(const TreeSummary& tree) { return plural(tree.files, "file") + ", " + size_text(tree.bytes); }

}  // namespace

Result<ExitCode> perform(const command::SnapshotCreate& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Path folder = TRY(real_path(command.folder));
  if (!is_folder(folder)) return fail(Errc::invalid, "'" + folder.string() + "' is not a folder");
  StatusLine line;
  CaptureOptions options;
  options.objects = &store.objects();
  options.progress = [&](const CaptureProgress& progress) {
    const double fraction =
        progress.bytes == 0 ? 0 : static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes);
    line.show(bar(fraction) + "  reading " + std::to_string(progress.files_done) + " of " +
              plural(progress.files, "file"));
  };
  const CapturedFolder captured = TRY(capture(folder, options));
  const Snapshot snapshot{TRY(store_tree(captured.tree, store.objects())), now(), folder.string(), std::nullopt};
  TRY(store.objects().sync());
  TRY(snapshots_of(store).add(snapshot));
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
  TRY(checkout(TRY(load_tree(snapshot.tree.digest, store.objects())), store.objects(), folder,
               progress_on(line, "wrote")));
  line.clear();
  if (invocation.output == Output::json) {
    print_json({{"snapshot", snapshot.id()}, {"folder", folder.string()}});
  } else {
    print("wrote snapshot " + snapshot.id() + " to " + folder.string() + " (" + content_text(snapshot.tree) + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::SnapshotVerify& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Snapshot snapshot = TRY(snapshots_of(store).find(command.id));
  StatusLine line;
  const auto problems =
      TRY(verify(TRY(load_tree(snapshot.tree.digest, store.objects())), store.objects(), progress_on(line, "read")));
  line.clear();
  if (invocation.output == Output::json) {
    print_json({{"snapshot", snapshot.id()}, {"verified", problems.empty()}, {"problems", problems}});
  } else if (problems.empty()) {
    print("snapshot " + snapshot.id() + " is whole (" + content_text(snapshot.tree) + ")\n");
  }
  for (const std::string& problem : problems) complain(problem);
  return problems.empty() ? ExitCode::ok : ExitCode::store;
}

}  // namespace trainyard
