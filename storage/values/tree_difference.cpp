// SPDX-License-Identifier: Apache-2.0
#include "storage/values/path_order.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

std::vector<TreeDifference> difference(const Tree& before, const Tree& after) {
  using Kind = TreeDifference::Kind;
  std::vector<TreeDifference> found;
  const auto removed = [&](std::size_t index) {
    TreeEntry entry = before.entry(index);
    RelPath path = entry.path;
    found.push_back({Kind::removed, std::move(path), std::move(entry), std::nullopt});
  };
  const auto added = [&](std::size_t index) {
    TreeEntry entry = after.entry(index);
    RelPath path = entry.path;
    found.push_back({Kind::added, std::move(path), std::nullopt, std::move(entry)});
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() && j < after.size()) {
    const Tree::View old = before.view(i);
    const Tree::View now = after.view(j);
    const int order = path_order(old, now).order;
    if (order < 0) {
      removed(i++);
    } else if (order > 0) {
      added(j++);
    } else {
      if (!same_content(old, now)) {
        TreeEntry entry = after.entry(j);
        RelPath path = entry.path;
        found.push_back({Kind::changed, std::move(path), before.entry(i), std::move(entry)});
      }
      ++i;
      ++j;
    }
  }
  while (i < before.size()) removed(i++);
  while (j < after.size()) added(j++);
  return found;
}

}  // namespace trainyard
