// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/packages/package_check.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// The checks of an upload without the upload. `package` is a zip or a folder; a zip is unpacked below `scratch` for as
// long as it takes.
Result<CheckedPackage> validate_package(const Path& package, const Path& scratch);

// Writes the deterministic zip of a package folder to `zip`, which must not exist; an empty path is <name>.zip in the
// working directory. Checks the package first.
struct PackedPackage {
  CheckedPackage package;
  Path path;
  TreeSummary tree;
  ZipSummary zip;
};
Result<PackedPackage> pack_package(const Path& folder, Path zip);

// A user's upload of a zip or a folder: version 1.0, or the next major of a package that exists. Nothing is left of one
// that is refused.
Result<VersionRecord> upload_package(const Path& package, const std::string& change_log, const Store& store,
                                     Instant now);

}  // namespace trainyard
