// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/folder_walk.hpp"

#include <algorithm>

#include "storage/trees/walk_crew.hpp"

namespace trainyard {

Result<FolderWalk> FolderWalk::of(const Path& root, int fd, const WalkOptions& options) {
  FolderWalk walk;
  TRY(WalkCrew(root, fd, options, walk).run());
  return walk;
}

bool FolderWalk::before(std::string_view a, Kind a_kind, std::string_view b, Kind b_kind) {
  const std::size_t common = std::min(a.size(), b.size());
  if (const int order = a.substr(0, common).compare(b.substr(0, common)); order != 0) return order < 0;
  // A byte more than its end: a name has neither.
  const auto next = [&](std::string_view name, Kind kind) {
    if (common < name.size()) return static_cast<int>(static_cast<std::uint8_t>(name[common]));
    return kind == Kind::folder ? static_cast<int>('/') : -1;
  };
  return next(a, a_kind) < next(b, b_kind);
}

void FolderWalk::visit(const std::function<bool(const Found&)>& see) && {
  if (!folders_.front().items.empty()) visit_folder(0, see);
}

bool FolderWalk::visit_folder(std::uint32_t number, const std::function<bool(const Found&)>& see) {
  // Let go of at the end of this.
  Folder folder = std::move(folders_[number]);
  order_empty_folders(folder);
  for (const Item& item : folder.items) {
    const bool is_folder = item.kind == Kind::folder;
    if (is_folder && !folders_[item.size].items.empty()) {
      if (!visit_folder(static_cast<std::uint32_t>(item.size), see)) return false;
      continue;
    }
    const Found found{.folder = number,
                      .folder_path = folder.path,
                      .name = folder.name(item),
                      .empty_folder = is_folder,
                      .executable = item.kind == Kind::executable,
                      .size = is_folder ? 0 : item.size,
                      .stamp = &item.stamp};
    if (!see(found)) return false;
  }
  return true;
}

// The path of an empty folder is an entry of its own and does not go on with '/', which only its emptiness tells.
void FolderWalk::order_empty_folders(Folder& folder) const {
  const auto kind_of = [&](const Item& item) {
    return item.kind == Kind::folder && folders_[item.size].items.empty() ? Kind::file : item.kind;
  };
  const auto moves = [&](const Item& item) { return item.kind == Kind::folder && kind_of(item) != Kind::folder; };
  if (std::none_of(folder.items.begin(), folder.items.end(), moves)) return;
  std::sort(folder.items.begin(), folder.items.end(), [&](const Item& a, const Item& b) {
    return before(folder.name(a), kind_of(a), folder.name(b), kind_of(b));
  });
}

}  // namespace trainyard
