// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/cli/command.hpp"
#include "runner/cli/exit_code.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// Where a tar goes: a file, or "-" for standard output; `compression` is "none", "zstd" or empty, which the ending of the
// file's name decides.
struct TarWish {
  std::string file;
  std::string compression;
};

// Writes the tar and tells of it; `what` names the tree in that sentence.
Result<ExitCode> export_tar(const std::string& what, const Tree& tree, ObjectStore& objects, const TarWish& wish,
                            Output output);

}  // namespace trainyard
