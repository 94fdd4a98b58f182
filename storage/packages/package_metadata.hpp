// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/values/json.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// The file <name>_v<major>.<minor>_metadata.json that AI Center writes beside an exported package's zip, and takes with
// it. Of what it has and we have not, the keys are there with the values that mean nothing special.
Json package_metadata(const VersionRecord& version, const Manifest& manifest);

// What is used of such a file when it comes in; unknown keys are ignored.
struct ImportedMetadata {
  PackageName name;
  PackageVersion version;
  std::string change_log;
};
Result<ImportedMetadata> imported_metadata(const Json& json);

// "digits_v1.3"
std::string export_name(const VersionRecord& version);

}  // namespace trainyard
