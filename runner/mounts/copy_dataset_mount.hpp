// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/mounts/dataset_mount.hpp"

namespace trainyard {

// Copies the dataset to the target (copy_tree): works everywhere, and costs the time and the space of the data.
class CopyDatasetMount : public DatasetMount {
 public:
  Result<MountedDataset> prepare(const Path& dataset, const Path& target, const Path& layer) override;
};

}  // namespace trainyard
