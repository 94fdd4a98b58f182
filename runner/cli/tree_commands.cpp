// SPDX-License-Identifier: Apache-2.0
// The commands that look into a tree, whatever it belongs to.
#include "runner/cli/commands.hpp"
#include "runner/cli/tar_export.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/named_tree.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

std::string_view name_of(TreeDifference::Kind kind) {
  static constexpr std::string_view kNames[] = {"added", "removed", "changed"};
  return kNames[static_cast<std::size_t>(kind)];
}

Json entry_json(const std::optional<TreeEntry>& entry) {
  if (!entry) return nullptr;
  return {{"kind", entry->kind == TreeEntry::Kind::file ? "file" : "folder"},
          {"size", entry->size},
          {"executable", entry->executable},
          {"digest", entry->digest ? Json(entry->digest->hex()) : Json(nullptr)}};
}

std::string entry_text(const TreeEntry& entry) {
  if (entry.kind == TreeEntry::Kind::empty_folder) return "empty folder";
  return size_text(entry.size) + (entry.executable ? ", executable" : "");
}

std::string change_text(const TreeDifference& difference) {
  if (!difference.before) return entry_text(*difference.after);
  if (!difference.after) return entry_text(*difference.before);
  const std::string before = entry_text(*difference.before);
  const std::string after = entry_text(*difference.after);
  return before == after ? after + ", other bytes" : before + " -> " + after;
}

void print_differences(const std::vector<TreeDifference>& differences) {
  std::size_t counts[3] = {};
  std::string text;
  for (const TreeDifference& difference : differences) {
    ++counts[static_cast<std::size_t>(difference.kind)];
    std::string kind(name_of(difference.kind));
    kind.resize(9, ' ');
    text += kind + printable(difference.path.text()) + "  (" + change_text(difference) + ")\n";
  }
  print(text + std::to_string(counts[0]) + " added, " + std::to_string(counts[1]) + " removed, " +
        std::to_string(counts[2]) + " changed\n");
}

}  // namespace

Result<ExitCode> perform(const command::SnapshotDiff& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const NamedTree before = TRY(find_named_tree(store, command.before));
  const NamedTree after = TRY(find_named_tree(store, command.after));
  const auto differences = difference(before.tree, after.tree);
  if (invocation.output == Output::json) {
    Json list = Json::array();
    for (const TreeDifference& one : differences) {
      list.push_back({{"kind", name_of(one.kind)},
                      {"path", one.path.text()},
                      {"before", entry_json(one.before)},
                      {"after", entry_json(one.after)}});
    }
    print_json({{"before", before.name}, {"after", after.name}, {"differences", std::move(list)}});
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
