// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/trees/folder_walk.hpp"

namespace trainyard {

// The names of one folder that wait for a look at what they are; any number of threads take slices of them.
struct StatJob {
  int fd;                   // the folder
  const std::string* path;  // below the root
  const char* names;        // each ends in a NUL
  std::span<FolderWalk::Item> items;
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
};

// What one thread of a walk needs to read folders: buffers that it uses again and again.
class FolderReader {
 public:
  // All but `cancelled` outlive this; it may be null.
  FolderReader(const Path& root, int root_fd, const std::function<bool(const RelPath&)>& wanted,
               const std::function<bool()>* cancelled, const std::atomic<bool>& stopped)
      : root_(root), root_fd_(root_fd), wanted_(wanted), cancelled_(cancelled), stopped_(stopped) {}

  // Opens the folder and reads its names, in no order.
  Result<std::shared_ptr<StatJob>> begin(const FolderWalk::Folder& folder);
  // Looks at slices of names until none is left to take. Any thread's job will do.
  Result<void> look(StatJob& job);
  // Every name of the job that `begin` yielded last was looked at: fills the folder with them, sorted.
  void finish(const StatJob& job, FolderWalk::Folder& folder);

 private:
  Result<void> add_name(const FolderWalk::Folder& folder, std::string_view name, unsigned char type);
  Result<void> look_at(const StatJob& job, FolderWalk::Item& item) const;
  [[nodiscard]] Path shown(const std::string& folder, std::string_view name) const;

  const Path& root_;
  int root_fd_;
  const std::function<bool(const RelPath&)>& wanted_;
  const std::function<bool()>* cancelled_;
  const std::atomic<bool>& stopped_;

  UniqueFd fd_;
  std::vector<char> buffer_;
  std::string names_;
  std::vector<FolderWalk::Item> items_;
  struct Key {
    std::uint64_t head;  // the first bytes in which names of this folder differ, the first one highest
    std::uint32_t item;
  };
  std::vector<Key> keys_;
};

}  // namespace trainyard
