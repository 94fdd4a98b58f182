// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/files/files.hpp"

namespace trainyard {

// Counts the bytes that are allocated below some folders, in pieces: each file once, whatever links it has; no link is
// followed and no other file system entered. What vanishes while it is looked at counts or does not. A folder that
// cannot be read counts as empty.
class DiskWalk {
 public:
  explicit DiskWalk(const std::vector<Path>& folders);

  // Goes on for about as long as `most`. True when all has been counted.
  bool go_on(std::chrono::microseconds most);
  // So far.
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  using Identity = std::pair<dev_t, ino_t>;
  // A folder on the way down. Read to its end before the first folder in it is entered.
  struct Level {
    Identity identity;
    std::unique_ptr<DIR, CloseFolder> folder;  // none: closed, because too many below it are open
    bool read = false;
    std::vector<std::string> folders;  // in it, not yet entered
  };

  void enter(int above, const char* name);
  void read_some();
  void leave();
  void count(const struct stat& status);

  std::vector<Path> roots_;  // not yet begun
  dev_t device_ = 0;         // of the root that is walked
  std::vector<Level> levels_;
  std::set<Identity> counted_;  // large files, those with several links, and folders
  std::int64_t bytes_ = 0;
};

}  // namespace trainyard
