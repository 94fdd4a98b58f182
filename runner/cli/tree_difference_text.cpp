// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/tree_difference_text.hpp"

#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/values/utf8.hpp"

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

}  // namespace

Json differences_json(const std::vector<TreeDifference>& differences) {
  Json list = Json::array();
  for (const TreeDifference& one : differences) {
    list.push_back({{"kind", name_of(one.kind)},
                    {"path", one.path.text()},
                    {"before", entry_json(one.before)},
                    {"after", entry_json(one.after)}});
  }
  return list;
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

}  // namespace trainyard
