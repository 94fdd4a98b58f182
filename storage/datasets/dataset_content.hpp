// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "storage/datasets/datasets.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/rel_path.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// What is in a version of a dataset, or in one folder of it. As `subtree` when the folder is not there or holds no file,
// with the dataset named; `corrupt` when the store has lost the version's tree.
Result<Tree> content_of(const DatasetVersion& version, const std::optional<RelPath>& folder, ObjectStore& objects);

}  // namespace trainyard
