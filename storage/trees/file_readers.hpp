// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/trees/capture.hpp"

namespace trainyard {

// The threads of one capture that read files and give each its digest. Files are handed out in runs of neighbours, so
// that they lie together in the store too.
class FileReaders {
 public:
  // `root_fd` is the open folder `root`; `stamps` has one for each entry of the tree; what is `known` counts as done.
  // All outlive this.
  FileReaders(const Path& root, int root_fd, TreeBuilder& tree, const std::vector<FileStamp>& stamps,
              const CaptureOptions& options, const CaptureProgress& known);

  // Reads the files of the tree with these indices, which ascend. The first error ends all threads.
  Result<void> run(const std::vector<std::uint32_t>& files);

 private:
  enum class Thread { calling, other };
  // What one thread has open and at hand.
  struct Desk {
    UniqueFd folder;
    std::string_view folder_path;
    Path shown;
    // Small files that were read and have no digest yet: what they are, and their bytes side by side.
    std::vector<std::uint32_t> small;
    std::vector<std::string_view> contents;
    std::unique_ptr<char[]> memory;
    std::size_t used = 0;
  };

  void cut(const std::vector<std::uint32_t>& files);
  void work(Thread thread, const std::vector<std::uint32_t>& files);
  Result<void> read_one(std::uint32_t index, Desk& desk);
  // The digest and size of an open file; none when it was small and waits on the desk.
  Result<std::optional<StoredObject>> read_open(int fd, std::uint32_t index, Desk& desk);
  Result<void> put_small(Desk& desk);
  Result<void> open_folder(std::string_view path, Desk& desk) const;
  void end_with(Error error);

  const Path& root_;
  int root_fd_;
  TreeBuilder& tree_;
  const std::vector<FileStamp>& stamps_;
  const CaptureOptions& options_;
  CaptureProgress known_;
  std::vector<std::uint32_t> runs_;  // where each begins in the list of files, and the list's end
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> files_done_;
  std::atomic<std::uint64_t> bytes_done_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_ while threads run
};

}  // namespace trainyard
