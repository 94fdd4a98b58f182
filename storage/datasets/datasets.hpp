// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/values/dataset_reference.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// One version of a named dataset: content that the store keeps, so that a run can ask for exactly this again. Its file
// is the version: written once, never changed. Schema: schemas/dataset.schema.json.
struct DatasetVersion {
  DatasetName name;
  std::uint32_t number = 1;  // 1, 2, 3 and so on, without a gap
  TreeSummary tree;
  Instant created_at;
  std::string source;  // the folder or archive that it was read from, as an absolute path, or the address of a bucket

  [[nodiscard]] std::string text() const { return name.text() + "@" + std::to_string(number); }
  friend bool operator==(const DatasetVersion&, const DatasetVersion&) = default;
};

Json to_json(const DatasetVersion& version);
Result<DatasetVersion> dataset_version_from(const Json& json);

// The versions of all named datasets, each the record <name in lower case>/<number>.json, made by `link`, so that it
// exists whole or not at all and no number is given twice, however many processes add at once. The content of a version
// is in the object store; this knows nothing of it but its digest.
class Datasets {
 public:
  struct Added {
    enum class How { as_new_version, as_newest_before };
    DatasetVersion version;
    How how = How::as_new_version;
  };

  // The folder exists, in the store of that journal.
  Datasets(Path folder, StoreJournal journal) : folder_(std::move(folder)), journal_(std::move(journal)) {}

  // Of a version, whether it is there or not, as the store's journal names it.
  [[nodiscard]] Result<RelPath> record_path(const DatasetName& name, std::uint32_t number) const;

  // `exists` when another dataset has this name but for its case: so that it is known before any content is read.
  [[nodiscard]] Result<void> check_name(const DatasetName& name) const;

  // The next version. Content equal to that of the newest version is that version, and no other is made. The objects
  // must be durable before; the record is when this returns. Fails as `check_name` does.
  Result<Added> add(const DatasetName& name, const TreeSummary& tree, Instant now, const std::string& source) const;

  // The names of all datasets, sorted.
  [[nodiscard]] Result<std::vector<DatasetName>> names() const;
  // Oldest first. `not_found` names the dataset, and the nearest name that exists.
  [[nodiscard]] Result<std::vector<DatasetVersion>> versions(const DatasetName& name) const;
  // The version meant; the newest when the reference has no number. Says nothing of its folder.
  [[nodiscard]] Result<DatasetVersion> find(const DatasetReference& reference) const;

 private:
  [[nodiscard]] Path folder_of(const DatasetName& name) const { return folder_ / name.folded(); }

  Path folder_;
  StoreJournal journal_;
};

}  // namespace trainyard
