// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"

namespace trainyard {

// Wakes when a file gets its name in a folder, or after a while: where the kernel cannot tell (a network file system,
// no watches left) only the while counts, so it makes waiting shorter and decides nothing.
class FolderWatch {
 public:
  explicit FolderWatch(const Path& folder);
  // Also returns when a signal arrives.
  void wait(int milliseconds);

 private:
  UniqueFd fd_;
};

}  // namespace trainyard
