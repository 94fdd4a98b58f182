// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/values/names.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// The versions of all packages. A version is one record file, made by `link`, so that it exists whole or not at all and
// no number is given twice, however many processes publish at once. What a record names must be durable before it is
// published. The store's journal tells of every one that comes or goes.
class PackageRegistry {
 public:
  // The folder exists, in the store of that journal.
  PackageRegistry(Path packages, StoreJournal journal) : packages_(std::move(packages)), journal_(std::move(journal)) {}

  // The names of all packages, sorted.
  [[nodiscard]] Result<std::vector<PackageName>> names() const;
  // Oldest number first. `not_found` names the package, and the nearest name that exists.
  [[nodiscard]] Result<std::vector<VersionRecord>> versions(const PackageName& name) const;
  // The version meant; the highest when the reference has neither version nor label.
  [[nodiscard]] Result<VersionRecord> find(const PackageReference& reference) const;
  // The record of a version that was taken away. `not_found` when this one was not.
  [[nodiscard]] Result<VersionRecord> find_removed(const PackageName& name, const PackageVersion& version) const;
  [[nodiscard]] Result<std::optional<VersionRecord>> made_by(const PackageName& name, const RunId& run) const;

  // Of a version, whether it is there or not, as the store's journal names it.
  [[nodiscard]] Result<RelPath> record_path(const PackageName& name, const PackageVersion& version) const;

  // Makes durable what `made_by` found: its writer may have come no further than to give it its name.
  [[nodiscard]] Result<void> sync(const PackageName& name) const;

  // Takes a version away for good; its number is never given again. `not_found` when it is not there.
  Result<void> remove(const PackageName& name, const PackageVersion& version, Instant now) const;

  // An upload: 1.0, or the next major. `exists` when another package has this name but for its case.
  Result<VersionRecord> publish_major(const VersionDraft& draft) const;
  // What comes from another store: the highest minor of the major, plus one; of a major that is not here the next major.
  Result<VersionRecord> publish_imported(const VersionDraft& draft, std::uint32_t major) const;
  // What another store has published, under its own number and byte for byte. Fine when it is there; `exists` when its
  // number has another version, or had one.
  Result<void> publish_pulled(const VersionRecord& record, std::string_view text, Instant now) const;
  // What a run made: the highest minor of the parent's major, plus one. REQUIRES: the draft has a parent.
  // After an error a version may be there all the same, if only its durability is in doubt: ask `made_by`.
  Result<VersionRecord> publish_minor(const VersionDraft& draft) const;

 private:
  [[nodiscard]] Path folder_of(const PackageName& name) const { return packages_ / name.folded(); }
  Result<VersionRecord> publish(const VersionDraft& draft, std::optional<std::uint32_t> major) const;
  [[nodiscard]] Result<void> make_package_folder(const PackageName& name) const;

  Path packages_;
  StoreJournal journal_;
};

}  // namespace trainyard
