// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/values/result.hpp"

// Landlock: what a process and its children may do with files, kept by the kernel whatever their user and privileges.
// https://docs.kernel.org/userspace-api/landlock.html
namespace trainyard {

// The version of the kernel's interface, 0 where it has none or where it is off.
int landlock_version();

struct LandlockRules {
  std::vector<std::string> readable;  // files and folders: read, list and execute; what is not there is left out
  std::vector<std::string> listable;  // folders whose names alone may be read, and those of the folders below
  std::vector<std::string> writable;  // folders, for everything
  std::vector<std::string> devices;   // files: read and write
  std::vector<int> executable;        // descriptors of programs
};

// Holds for the calling thread and all that it starts, for ever. All other files are out of reach; signals and abstract
// sockets reach only what is held by the same rules, where the kernel knows that (6.12). REQUIRES: one thread,
// PR_SET_NO_NEW_PRIVS.
Result<void> hold_to(const LandlockRules& rules);

}  // namespace trainyard
