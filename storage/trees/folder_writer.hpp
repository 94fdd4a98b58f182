// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/files/files.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// Writes files below one folder and cannot write anywhere else: every name is opened relative to the folder above it,
// without following links, and nothing is ever overwritten. The one writer for zips, checkouts and private copies.
// Single-threaded.
class FolderWriter {
 public:
  // `root` must exist.
  static Result<FolderWriter> at(const Path& root);

  // A new file, open for writing; missing folders above it are made. `exists` when something has that name.
  // Its mode is 0644 or 0755 less the umask.
  Result<UniqueFd> create_file(const RelPath& path, bool executable);
  // A new folder with those above it; one that exists is fine.
  Result<void> create_folder(const RelPath& path);

  [[nodiscard]] const Path& root() const { return root_; }

 private:
  FolderWriter(Path root, UniqueFd fd) : root_(std::move(root)), fd_(std::move(fd)) {}
  Result<int> folder_of(std::string_view folder);

  Path root_;
  UniqueFd fd_;
  // The folder of the last file: consecutive files of one folder need no walk.
  std::string last_folder_;
  UniqueFd last_fd_;
};

}  // namespace trainyard
