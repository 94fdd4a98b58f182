// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>

#include "storage/files/files.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::fuzz {

// A folder for the life of the process, in memory where the system has such a place.
class MemoryFolder {
 public:
  MemoryFolder() : folder_(in_memory()) {}
  [[nodiscard]] const Path& path() const { return folder_.path(); }

 private:
  static TempFolder in_memory() {
    if (is_folder("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
    return TempFolder();
  }
  TempFolder folder_;
};

}  // namespace trainyard::fuzz
