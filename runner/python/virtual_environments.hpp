// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "storage/files/files.hpp"

namespace trainyard {

// The virtual environments of a store, each made once for an interpreter and what a package's requirements ask for, and
// kept under the digest of both, with the files that the requirements include. One that was not finished is made anew.
// Any of them may be deleted while nobody uses it.
class VirtualEnvironments {
 public:
  explicit VirtualEnvironments(Path folder) : folder_(std::move(folder)) {}

  // The interpreter of the environment for the requirements that lie in the package folder. Waits for another process
  // that makes the same one. `package_failed` with pip's own last words when something cannot be installed. pip sees the
  // variables of ours that are its own (PIP_…, proxies and certificates) and HOME.
  Result<Path> get(const Path& interpreter, const Path& package) const;

 private:
  Path folder_;
};

}  // namespace trainyard
