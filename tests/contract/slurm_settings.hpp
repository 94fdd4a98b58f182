// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/executors/slurm_executor.hpp"
#include "tests/support/slurm_cluster.hpp"

namespace trainyard::test {

// For a cluster whose nodes are one machine with one disk, and tests that have little time. `folder` outlives the executor.
inline SlurmSettings impatient(const SlurmCluster& cluster, const Path& folder) {
  SlurmSettings settings;
  settings.worker = TRAINYARD_WORKER_PROGRAM;
  settings.folder = folder;
  settings.environment = cluster.environment();
  settings.between_looks = std::chrono::milliseconds(300);
  settings.patience = std::chrono::seconds(5);
  settings.late_files = std::chrono::seconds(1);
  return settings;
}

}  // namespace trainyard::test
