// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/mounts/dataset_mount.hpp"

namespace trainyard {

// Leaves the dataset where it is and describes an overlay for the worker to mount: nothing is read or copied in
// advance, and what the code changes lands in `layer`. `visible` is the user's folder without links in its path.
//
// The code sees the dataset as it is: links, sockets and modes too, so a link that leaves the folder leads out of it;
// whoever records the data refuses those. A file that is read-only to its owner must be made writable first, and a file
// that belongs to somebody else can be changed only by root (see MountFacts::owner_mapped). `invalid` when something is
// mounted below the dataset, because an overlay would hide it.
class OverlayDatasetMount : public DatasetMount {
 public:
  Result<MountedDataset> prepare(const Path& dataset, const Path& target, const Path& layer) override;
};

}  // namespace trainyard
