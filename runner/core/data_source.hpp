// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runner/core/bucket_data.hpp"
#include "storage/values/dataset_reference.hpp"
#include "storage/values/json.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// Where the data of a run comes from, decided before the run begins: what was named then is what the run gets, whatever
// becomes of the name. Not what the run saw, which is known only once it was read.
struct DataSource {
  // snapshot: a tree of the store, whatever it was when somebody gave it. bucket: what lay below an address of a bucket.
  enum class Kind { folder, archive, dataset, snapshot, bucket };

  Kind kind = Kind::folder;
  std::string folder;  // what is mounted, absolute: the user's own folder, or a checkout in the store
  // What has to be in that folder, and is in the store; none for a user's own folder.
  std::optional<TreeSummary> tree;
  std::optional<DatasetReference> dataset;  // of a dataset, and then with its number
  std::optional<BucketState> bucket = {};   // of a bucket

  friend bool operator==(const DataSource&, const DataSource&) = default;
};

std::string_view name_of(DataSource::Kind kind);
Result<DataSource::Kind> parse_data_kind(std::string_view text);

// Of a dataset {"name", "version", "folder"}, else null.
Json dataset_json(const DataSource& source);
Result<DatasetReference> chosen_dataset_from(const Json& json);

Json to_json(const DataSource& source);
// Refuses a tree, a dataset or a state of a bucket where the kind has none, and one that is missing.
Result<DataSource> data_source_from(const Json& json);

}  // namespace trainyard
