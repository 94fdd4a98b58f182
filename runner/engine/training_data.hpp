// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/named_tree.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

// The data of a run, the evaluation data of a full run not among it. `not_found` when the run ended before it was read.
Result<NamedTree> data_of_run(const Store& store, const RunId& run);

// What the run that made a version was given to train on; not what its parents were trained on. `not_found` for a version
// that was uploaded, or whose run was deleted.
Result<NamedTree> training_data_of(const Store& store, const PackageReference& reference);

}  // namespace trainyard
