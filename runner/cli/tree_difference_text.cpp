// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/tree_difference_text.hpp"

#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/tree_difference_json.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

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

std::string difference_text(const TreeDifference& difference) {
  std::string kind(name_of(difference.kind));
  kind.resize(9, ' ');
  return kind + printable(difference.path.text()) + "  (" + change_text(difference) + ")";
}

void print_differences(const std::vector<TreeDifference>& differences) {
  std::size_t counts[3] = {};
  std::string text;
  for (const TreeDifference& difference : differences) {
    ++counts[static_cast<std::size_t>(difference.kind)];
    text += difference_text(difference) + "\n";
  }
  print(text + std::to_string(counts[0]) + " added, " + std::to_string(counts[1]) + " removed, " +
        std::to_string(counts[2]) + " changed\n");
}

}  // namespace trainyard
