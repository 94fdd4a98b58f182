// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/files/files.hpp"

namespace trainyard {

// Opens the folder `path` (names joined by '/'; "" is the folder itself) below an open folder. Nothing on the way may be
// a link. `shown` is the path for errors.
Result<UniqueFd> open_folder_below(int root, const std::string& path, const Path& shown);

// The folders below one folder, opened as they are asked for; some stay open. Thread-safe.
class OpenFolders {
 public:
  using Folder = std::shared_ptr<const UniqueFd>;

  explicit OpenFolders(Path root) : root_(std::move(root)) {}

  // Open for as long as somebody has it.
  Result<Folder> open(std::string_view path);
  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] Path shown(std::string_view folder, std::string_view name) const;

 private:
  struct Slot {
    std::string path;
    Folder folder;
  };

  Path root_;
  std::mutex mutex_;
  Folder root_folder_;          // guarded by mutex_, as are the slots
  std::array<Slot, 64> slots_;  // each path has one place
};

}  // namespace trainyard
