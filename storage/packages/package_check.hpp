// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

struct CheckedPackage {
  Manifest manifest;
  PackageAbi abi;
};

// Whether an unpacked folder is a package that this Trainyard can run: the manifest is there and valid, the library
// that it names lies beside it, is built for this machine, exports the entry and finds the libraries it needs, and its
// verbs are those that the manifest promises. Static: no code of the package runs. The first mistake is the error:
// `invalid`, or `incompatible` for a package that is made for another kind of Trainyard or machine.
Result<CheckedPackage> check_package(const Path& folder);

}  // namespace trainyard
