// SPDX-License-Identifier: Apache-2.0
// The commands that look into a tree, whatever it belongs to.
#include "runner/cli/commands.hpp"
#include "runner/cli/tar_export.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/tree_difference_text.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/tree_difference_json.hpp"
#include "runner/engine/named_tree.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

Result<ExitCode> perform(const command::SnapshotDiff& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const NamedTree before = TRY(find_named_tree(store, command.before));
  const NamedTree after = TRY(find_named_tree(store, command.after));
  const auto differences = difference(before.tree, after.tree);
  if (invocation.output == Output::json) {
    print_json({{"before", before.name}, {"after", after.name}, {"differences", differences_json(differences)}});
  } else if (differences.empty()) {
    print(before.name + " and " + after.name + " have the same content\n");
  } else {
    print_differences(differences);
  }
  return differences.empty() ? ExitCode::ok : ExitCode::no;
}

Result<ExitCode> perform(const command::SnapshotCat& command, const Invocation& invocation) {
  if (invocation.output == Output::json)
    return fail(Errc::invalid, "'trainyard snapshot cat' prints the file itself; leave --json out");
  const RelPath path = TRY(RelPath::from_text(command.path));
  const Store store = TRY(open_store(invocation));
  const NamedTree named = TRY(find_named_tree(store, command.id));
  const auto printed = stream_file(named.tree, path, store.objects(), [](std::string_view piece) -> Result<void> {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size()) return {};
    return fail(Errc::io, "the output could not be written");
  });
  if (printed.ok()) return ExitCode::ok;
  if (!named.tree.index_of(path)) return printed.error();
  return error_of_kept_tree(printed.error(), named.tree, store.objects());
}

Result<ExitCode> perform(const command::SnapshotExport& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const NamedTree named = TRY(find_named_tree(store, command.id));
  return export_tar(named.name, named.tree, store.objects(), {command.file, command.compression}, invocation.output);
}

}  // namespace trainyard
