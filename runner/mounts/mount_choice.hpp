// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runner/mounts/dataset_mount.hpp"

namespace trainyard {

// What this machine, this user and this dataset allow.
struct MountFacts {
  bool overlay_works = false;
  std::string overlay_why_not;  // when it does not: what failed, maybe with another dataset of the same file system
  // Whether the code could change every file of the dataset in an overlay, which lets only root change what belongs to
  // somebody else.
  bool owner_mapped = false;
  std::optional<std::string> mounted_below;  // a mount point in the dataset; an overlay would hide it
  bool reflink_works = false;

  friend bool operator==(const MountFacts&, const MountFacts&) = default;
};

// Pure. `best` yields the first of overlay, reflink and copy that works; it is never the answer. One that is wanted by
// name and cannot work is `invalid`, with the reason.
Result<MountKind> choose_mount(MountKind wanted, const MountFacts& facts);

// REQUIRES: `kind` is not `best`, which is a wish.
std::unique_ptr<DatasetMount> make_mount(MountKind kind);

}  // namespace trainyard
