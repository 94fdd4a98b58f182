// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

enum class Approval { pending, approved, rejected };
std::string_view name_of(Approval approval);  // PendingManualApproval, Approved, Rejected

// What somebody decided on a version of a package. Schema: schemas/decision.schema.json.
struct Decision {
  enum class Kind {
    labelled,  // `label` names this version now, whichever it named before
    unlabelled,
    approved,
    rejected,
    deleted,
  };

  Instant time;
  std::string who;
  std::string why;
  Kind kind = Kind::labelled;
  PackageVersion version;
  std::optional<VersionLabel> label;  // of the first two kinds

  friend bool operator==(const Decision&, const Decision&) = default;
};
std::string_view name_of(Decision::Kind kind);
Json to_json(const Decision& decision);
Result<Decision> decision_from(const Json& json);

// What all decisions on a package have come to.
struct Standing {
  std::map<VersionLabel, PackageVersion> labels;
  std::map<PackageVersion, Decision> judged;  // the last one for or against it

  [[nodiscard]] Approval approval_of(const PackageVersion& version) const;
  [[nodiscard]] std::vector<std::string> labels_of(const PackageVersion& version) const;
};
// Pure.
Standing standing_of(const std::vector<Decision>& decisions);

// The decisions on the packages of a store: packages/<name>/decisions.jsonl, one line each, only ever longer.
class PackageDecisions {
 public:
  PackageDecisions(Path packages, StoreJournal journal)
      : packages_(std::move(packages)), journal_(std::move(journal)) {}

  // In their order; none of a package on which nobody has decided.
  [[nodiscard]] Result<std::vector<Decision>> of(const PackageName& name) const;
  // Of the file with them, as the store's journal names it.
  [[nodiscard]] Result<RelPath> record_path(const PackageName& name) const;
  // Durable when it returns. REQUIRES: the package has a folder.
  Result<void> add(const PackageName& name, const Decision& decision) const;

 private:
  [[nodiscard]] Path folder_of(const PackageName& name) const { return packages_ / name.folded(); }

  Path packages_;
  StoreJournal journal_;
};

inline constexpr std::string_view kDecisionsFile = "decisions.jsonl";

}  // namespace trainyard
