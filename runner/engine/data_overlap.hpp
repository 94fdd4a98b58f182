// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runner/core/run_plan.hpp"
#include "runner/core/run_state.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// What train() was given in a full run: what process_data made of the dataset, or the dataset itself.
enum class TrainedOn { training_part, dataset };

// Which files of the evaluation data of a run whose job is over are files that its model was trained on, by their
// digests; empty files are nobody's data. In a full run the model is trained on what process_data made, or on the whole
// dataset; in an evaluation on the data of all runs that led to the version. None when that is not known, or when a part
// that the package made cannot be read. REQUIRES: the workspace is as the job left it.
Result<std::optional<DataOverlap>> find_overlap(const RunPlan& plan, const RunFolder& folder, const StagedData& data,
                                                TrainedOn trained_on, const Store& store);

}  // namespace trainyard
