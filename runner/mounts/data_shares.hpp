// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runner/core/placement.hpp"
#include "runner/mounts/dataset_mount.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// Where one worker of a run finds a dataset, and the folder for whatever its mount needs: empty, both of them.
struct SharePlace {
  Path target;
  Path layer;
};

// Presents a dataset to all workers of a run, as each is to see it: `whole` is what rank 0 sees, so far all of it, and
// `content` what is in it. `places` are by rank; that of rank 0 holds the data already. Yields what each worker has to mount,
// by rank.
//
// By file, an overlay hides the files of the others by whiteouts in its layer, and of a private copy each worker gets its
// files alone, so that nothing is copied twice. Folders are there for everybody. After an error the places may hold a part.
Result<std::vector<MountedDataset>> share_out(const MountedDataset& whole, const Tree& content, DataSharding sharding,
                                              const std::vector<SharePlace>& places);

// Why files of an overlay cannot be hidden in the folder `layer`, which is on the file system of the layers; empty when they
// can. Linux lets ordinary users do so since 5.8.
std::string why_no_whiteouts(const Path& layer);

}  // namespace trainyard
