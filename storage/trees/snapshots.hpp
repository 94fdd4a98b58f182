// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// A folder whose bytes the store keeps. Its id is the digest of its tree, so the same data is the same snapshot,
// however often and from wherever it is taken; the record tells of the first time. Schema:
// schemas/snapshot.schema.json.
struct Snapshot {
  TreeSummary tree;
  Instant created_at;
  std::string source;        // the folder, as an absolute path
  std::optional<RunId> run;  // the run that asked for it, if one did

  [[nodiscard]] std::string id() const { return tree.digest.hex(); }
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

Json to_json(const Snapshot& snapshot);
Result<Snapshot> snapshot_from(const Json& json);

class Snapshots {
 public:
  // The folder exists, in the store of that journal.
  Snapshots(Path folder, StoreJournal journal) : folder_(std::move(folder)), journal_(std::move(journal)) {}

  // Its objects must be durable already. Keeps the older record when there is one.
  Result<void> add(const Snapshot& snapshot) const;
  // Durable when this returns. Nothing happens when it is gone already.
  [[nodiscard]] Result<void> remove(const Snapshot& snapshot, Instant now) const;
  // Oldest first.
  [[nodiscard]] Result<std::vector<Snapshot>> list() const;
  // Of one, whether it is there or not, as the store's journal names it.
  [[nodiscard]] Result<RelPath> record_path(const std::string& id) const;
  // By id, or by any beginning of at least 4 digits that only one snapshot has.
  [[nodiscard]] Result<Snapshot> find(const std::string& id) const;

 private:
  [[nodiscard]] Path path_of(const Snapshot& snapshot) const;

  Path folder_;
  StoreJournal journal_;
};

}  // namespace trainyard
