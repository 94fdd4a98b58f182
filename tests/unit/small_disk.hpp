// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mount.h>

#include <catch2/catch.hpp>

#include "storage/files/files.hpp"

namespace trainyard {

// A file system of its own on a folder, where this user may mount one.
class SmallDisk {
 public:
  SmallDisk(const Path& folder, const char* options)
      : folder_(folder), mounted_(::mount("small", folder.c_str(), "tmpfs", 0, options) == 0) {
    if (!mounted_) WARN("skipped: no file system can be mounted here");
  }
  ~SmallDisk() {
    if (mounted_) static_cast<void>(::umount2(folder_.c_str(), MNT_DETACH));
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool ok() const { return mounted_; }

 private:
  Path folder_;
  bool mounted_;
};

}  // namespace trainyard
