// SPDX-License-Identifier: Apache-2.0
#include "runner/core/tree_difference_json.hpp"

namespace trainyard {

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

}  // namespace trainyard
