// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/objects/bundle.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// What a store has of one version and of the run that made it, and nothing of the versions before: the part of a
// publication that is the version's own.
struct VersionShare {
  VersionRecord version;
  std::string record;            // the bytes of its file
  std::optional<RunFolder> run;  // where it is over and not deleted
  std::vector<Digest> files;     // trees of which everything is carried: the package, the artifacts
  std::vector<Digest> lists;     // trees that tell digests alone: the data
};

// Of the version and of those that it comes from, the oldest first; they begin after the last one that is not there any
// more. Nothing of what it needs was put without a `sync`.
Result<std::vector<VersionShare>> shares_of(const VersionRecord& version, const Store& store);

// What the share is made of, in one digest: the same share has the same, and so has what it is published as.
Digest digest_of(const VersionShare& share);
// Those of its lists of which the store has all files; looks for each file.
Result<std::vector<Digest>> kept_data(const VersionShare& share, const Store& store);

// Everything that the share needs of the store's objects, added to `contents`.
Result<void> add_objects(const VersionShare& share, BundleContents::Where where, const Store& store,
                         BundleContents& contents);
// The files of a tree, not the tree itself.
Result<void> add_files(const Digest& tree, BundleContents::Where where, const Store& store, BundleContents& contents);

// Writes a new tar with the share's records: version.json, and below run/ what the folder of the run has, but for its
// artifacts. The same share gives the same bytes. Nothing is synced.
Result<StoredObject> write_records(const VersionShare& share, const Path& file);

inline constexpr std::string_view kSharedRecord = "version.json";
inline constexpr std::string_view kSharedRun = "run";

}  // namespace trainyard
