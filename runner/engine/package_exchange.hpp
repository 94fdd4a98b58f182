// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/engine/package_upload.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

// Versions on their way out of a store and into another one: a zip, and a file of metadata beside it.
namespace trainyard {

struct ExportedPackage {
  Path zip;
  Path metadata;
  ZipSummary summary;  // of the zip
};

// Makes <name>_v<version>.zip and <name>_v<version>_metadata.json in a folder; `exists` when one of them is there. The
// zip's bytes depend on the version's content alone.
Result<ExportedPackage> export_package(const VersionRecord& version, const Path& folder, const Store& store);

// The other way: an unknown name is a new package, a known name and major its next minor, a known name and an unknown
// major its next major. The zip is hostile input.
Result<VersionRecord> import_package(const Path& zip, const Path& metadata, PythonReader& python, const Store& store,
                                     Instant now);

// The manifest of a stored version.
Result<Manifest> manifest_of(const VersionRecord& record, const Tree& tree, ObjectStore& objects);

}  // namespace trainyard
