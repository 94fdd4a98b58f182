// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "runner/core/lineage.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// Tells the runs that evaluated versions of a package, each with the version. Who keeps an index of runs knows.
using EvaluationsOf = std::function<Result<std::vector<std::pair<PackageVersion, RunId>>>(const PackageName& package)>;

// Follows a version to its upload. A version that was taken away has a lineage too, when it is named with its number.
// `not_found` when there never was such a version. What is missing further back is told by the lineage.
Result<Lineage> read_lineage(const Store& store, const PackageReference& reference, const EvaluationsOf& evaluations);

// The lists of files of the data that the version and those before it were trained on, where these are short enough for a
// Croissant document (kCroissantFiles) and still in the store.
std::map<Digest, Tree> listed_trees(const Lineage& lineage, ObjectStore& objects);

}  // namespace trainyard
