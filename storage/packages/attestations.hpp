// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/values/dsse.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

using Envelopes = std::vector<DsseEnvelope>;

// What is attested of a version: packages/<name>/1.4.intoto.jsonl, one envelope a line, which is a bundle of in-toto
// attestations (its specification, spec/v1/bundle.md). Absent for a version of which nothing was ever attested. It stays
// when the version is taken away. Whether an attestation is true is not this type's business.
class Attestations {
 public:
  // The folder exists, in the store of that journal.
  Attestations(Path packages, StoreJournal journal) : packages_(std::move(packages)), journal_(std::move(journal)) {}

  // None when there is no file. `corrupt` names one that cannot be read.
  [[nodiscard]] Result<Envelopes> of(const PackageName& name, const PackageVersion& version) const;
  [[nodiscard]] Path file_of(const PackageName& name, const PackageVersion& version) const;
  // The same file as the store's journal names it.
  [[nodiscard]] Result<RelPath> record_path(const PackageName& name, const PackageVersion& version) const;

  // Replaces what there is by what `next` makes of it, one writer at a time: whole, and durable when it returns. Nothing is
  // written where nothing changes. REQUIRES: the package has a folder.
  Result<void> change(const PackageName& name, const PackageVersion& version, Instant now,
                      const std::function<Result<Envelopes>(const Envelopes&)>& next) const;

 private:
  [[nodiscard]] Path folder_of(const PackageName& name) const { return packages_ / name.folded(); }

  Path packages_;
  StoreJournal journal_;
};

// The same for one file wherever it is.
Result<Envelopes> read_attestations(const Path& file);
Result<void> write_attestations(const Path& scratch, const Path& file, const Envelopes& envelopes);

inline constexpr std::string_view kAttestationsSuffix = ".intoto.jsonl";
// In the folder of a run: what an evaluation attests of the version that it evaluated.
inline constexpr std::string_view kRunAttestations = "attestations.intoto.jsonl";

}  // namespace trainyard
