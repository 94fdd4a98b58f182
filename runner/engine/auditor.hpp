// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "runner/engine/attestation_check.hpp"
#include "runner/engine/audit.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// What the audits of a version, a run and a store have in common. Adds links to one audit, each thing once.
class Auditor {
 public:
  // Reads the journal. Both arguments outlive this.
  static Result<Auditor> begin(const Store& store, const AuditOptions& options, std::string subject);

  [[nodiscard]] Audit& audit() { return audit_; }
  [[nodiscard]] const JournalReading& journal() const { return journal_; }

  // A file of the store against the journal's last word on it. `made_at` tells whether it may be older than the journal.
  // Yields what it holds, none when that is not what it has to be.
  std::optional<std::string> file(const std::string& link, const RelPath& path, std::optional<Instant> made_at);
  // The lines of a package's decisions.
  Result<void> decisions(const PackageName& package);
  // The version's record, content, zip and run, and those of all that it comes from.
  Result<void> lineage(VersionRecord version);
  // A run that is over: its results, data and artifacts. Yields its record, if that is what it has to be.
  Result<std::optional<RunRecord>> run(const RunId& run);
  // Where the results name a version: what the store has under its number.
  Result<std::optional<VersionRecord>> same_version(const std::string& link, const RecordedVersion& recorded);

 private:
  Auditor(const Store& store, const AuditOptions& options, std::string subject)
      : store_(&store), options_(&options), audit_{std::move(subject), {}} {}

  [[nodiscard]] PackageRegistry registry() const;
  void add(std::string link, AuditVerdict verdict, std::string why = "");
  void journal_links();
  Result<void> version(const VersionRecord& version);
  void made_by(const RunRecord& record, const VersionRecord& version);
  Result<void> attestations(const VersionRecord& version);
  void attestation(const std::string& of, const AttestationCheck& check);
  Result<void> zip(const std::string& name, const VersionRecord& version, const Tree& tree);
  Result<void> data(const RunRecord& record);
  Result<bool> came_from_another_store(const RunRecord& record);
  // Whether bytes of it are missing that a version may be pulled without.
  Result<bool> stayed_behind(const RecordedInput& input);
  Result<void> snapshot(const Digest& id);
  Result<void> dataset(const DatasetReference& reference);
  void evaluation(const RunRecord& record);
  void folder(const std::string& link, const std::string& folder, const Tree& recorded, const std::string& otherwise);
  Result<void> artifacts(const RunRecord& record);
  Result<std::optional<Tree>> list(const std::string& link, const Digest& tree);
  // Every byte of a tree. Yields the tree, none when it cannot be told what was in it.
  Result<std::optional<Tree>> content(const std::string& link, const Digest& tree, const std::string& good);

  const Store* store_;
  const AuditOptions* options_;
  Audit audit_;
  JournalReading journal_;
  std::set<std::string> done_;                      // versions, and packages with decisions
  std::map<RunId, std::optional<RunRecord>> runs_;  // those that were looked at
};

}  // namespace trainyard
