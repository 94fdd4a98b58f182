// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/job_spec.hpp"
#include "runner/engine/run_ports.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// A run made ready to start.
struct StagedRun {
  StagedData data;
  Workspace workspace;
  std::vector<Workspace> others;  // of the workers from rank 1 on, where the run has several
  std::vector<CapturedFolder> captured;  // what `data` was made from: the dataset, then that of the evaluation
};

// Makes the workspace of a run, or makes it anew: the private copy of the package, the datasets mounted below it, the
// empty artifacts folder. Hashes the data, and keeps its bytes as snapshots when the plan says so. What is named in the answer is durable
// in the store.
Result<StagedRun> stage(const RunPlan& plan, const std::vector<Gpu>& gpus, const RunFolder& folder, RunPorts& ports);

// An error that names the file when the data that the job saw is no longer what was staged. For a run that an earlier
// process staged, `captured` is null and the data is read again.
Result<void> check_data_unchanged(const RunPlan& plan, const StagedData& data,
                                  const std::vector<CapturedFolder>* captured);

}  // namespace trainyard
