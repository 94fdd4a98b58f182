// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/mounts/dataset_mount.hpp"

namespace trainyard {

// Shares the dataset's content with the target file by file, on file systems that can (XFS, Btrfs): as private as a
// copy, in the time of its names. `invalid` when the file system cannot, or when the two lie on different ones.
class ReflinkDatasetMount : public DatasetMount {
 public:
  Result<MountedDataset> prepare(const Path& dataset, const Path& target, const Path& layer) override;
};

// Whether a file of `dataset` can share its content with a file in `scratch`: tried with the first file that is found.
// False when there is none. Leaves nothing behind.
bool can_reflink(const Path& dataset, const Path& scratch);

}  // namespace trainyard
