// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/packages/package_check.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// How a package is read that does not say everything itself.
struct PackageReading {
  PythonReader& python;
  // What a package without a manifest is called; else its root folder's name. One with a manifest has no other name than
  // that.
  std::optional<PackageName> name = std::nullopt;
};

// The checks of an upload without the upload. `package` is a zip or a folder; a zip is unpacked below `scratch` for as
// long as it takes.
Result<CheckedPackage> validate_package(const Path& package, const Path& scratch, const PackageReading& reading);

// Writes the deterministic zip of a package folder to `zip`, which must not exist; an empty path is <name>.zip in the
// working directory. Checks the package first.
struct PackedPackage {
  CheckedPackage package;
  Path path;
  TreeSummary tree;
  ZipSummary zip;
};
Result<PackedPackage> pack_package(const Path& folder, Path zip, const PackageReading& reading);

// A user's upload of a zip or a folder: version 1.0, or the next major of a package that exists; with a major that it had
// elsewhere the next minor of that, where it is known here too. Nothing is left of one that is refused.
Result<VersionRecord> upload_package(const Path& package, const PackageReading& reading, const std::string& change_log,
                                     const Store& store, Instant now,
                                     std::optional<std::uint32_t> major = std::nullopt);

}  // namespace trainyard
