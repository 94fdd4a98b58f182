// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "storage/trees/folder_reader.hpp"
#include "storage/trees/folder_walk.hpp"

namespace trainyard {

// The threads of one walk. The calling thread begins alone; others come when there is enough to do.
class WalkCrew {
 public:
  WalkCrew(const Path& root, int fd, const WalkOptions& options, FolderWalk& walk);

  // Reads the folder that the walk begins with and all below it. The first error ends the walk.
  Result<void> run();

 private:
  enum class Thread { calling, other };

  void work(Thread thread);
  Result<void> read_folder(FolderReader& reader, FolderWalk::Folder& folder);
  Result<std::vector<FolderWalk::Folder>> folders_in(const FolderWalk::Folder& folder) const;
  void wish_for_help();  // mutex_ is held
  void end_with(Error error);

  const Path& root_;
  int fd_;
  const WalkOptions& options_;
  unsigned most_threads_;
  FolderWalk& walk_;

  std::mutex mutex_;  // guards everything below and the walk's list of folders
  std::condition_variable changed_;
  std::vector<std::uint32_t> waiting_;            // folders, the last one next
  std::vector<std::shared_ptr<StatJob>> shared_;  // large folders whose names are being looked at
  unsigned reading_ = 0;                          // threads that may still find folders
  std::uint64_t seen_ = 0;                        // names, in folders that are done
  std::vector<std::jthread> others_;
  std::optional<Error> error_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace trainyard
