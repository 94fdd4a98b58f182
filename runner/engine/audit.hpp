// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/journal/journal_check.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/verify.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

enum class AuditVerdict {
  verified,
  unverifiable,  // what it would take is not there any more, or never was
  broken,        // what is there contradicts what was recorded
};
std::string_view name_of(AuditVerdict verdict);  // verified, unverifiable, BROKEN

// One thing that was held against its record.
struct AuditLink {
  std::string link;  // "the content of digits@1.1"
  AuditVerdict verdict = AuditVerdict::verified;
  std::string why;  // one clause; what was found, or what to do
};

struct Audit {
  std::string subject;
  std::vector<AuditLink> links;  // from the store's own journal to the first upload
  [[nodiscard]] std::size_t count(AuditVerdict verdict) const;
};

Json to_json(const Audit& audit);

struct AuditOptions {
  TreeProgress progress;
  std::optional<DsseEnvelope> witness;  // a head of the journal that was kept elsewhere
};

// A version with its whole lineage: for each version down to the first upload its record, content, zip, run, data and
// artifacts. Reads every byte that the store has of them. Errors are only what keeps the audit from being made.
Result<Audit> audit_version(const Store& store, const VersionRecord& version, const AuditOptions& options);

// A run that is over, and the lineage of what it ran and made.
Result<Audit> audit_run(const Store& store, const RunId& run, const AuditOptions& options);

// The document alone, and then against the store, where there is one.
Result<Audit> audit_results(const std::string& results, const Store* store, const AuditOptions& options);

// Everything: the journal, every record and results file, every object that anything needs.
Result<Audit> audit_store(const Store& store, const AuditOptions& options);

}  // namespace trainyard
