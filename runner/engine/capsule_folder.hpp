// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runner/core/capsule.hpp"
#include "storage/files/files.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// What is to become a capsule, as a folder; gone with everything in it at the end. All names are ours, so that they mean
// the same to every unzip and in `sha256sum`: names of other people's files are inside archives.
class CapsuleFolder {
 public:
  // In `scratch`, which exists.
  static Result<CapsuleFolder> make(const Path& scratch);
  CapsuleFolder(CapsuleFolder&& other) noexcept
      : path_(std::exchange(other.path_, Path())), files_(std::move(other.files_)) {}
  CapsuleFolder& operator=(CapsuleFolder&&) = delete;
  ~CapsuleFolder() {
    if (!path_.empty()) static_cast<void>(remove_tree(path_));
  }

  // Each names a file below the folder and says what it is, for people; the folders above it are made.
  Result<void> add(const std::string& name, const std::string& what, std::string_view bytes);
  Result<void> copy(const std::string& name, const std::string& what, const Path& source);
  // A place for a file that the caller writes; to be told of with `added`, if it comes to be.
  Result<Path> place(const std::string& name) const;
  void added(const std::string& name, const std::string& what) { files_.push_back({name, what}); }

  [[nodiscard]] const std::vector<CapsuleFile>& files() const { return files_; }
  [[nodiscard]] const Path& path() const { return path_; }

  // Adds SHA256SUMS over all that was added. Yields the tree of everything.
  Result<Tree> seal();

 private:
  explicit CapsuleFolder(Path path) : path_(std::move(path)) {}
  Path path_;
  std::vector<CapsuleFile> files_;
};

// The SHA-256 and length of a file's bytes.
Result<ZipSummary> bytes_of(const Path& file);

}  // namespace trainyard
