// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "storage/files/files.hpp"

// What every mount asks about the folder that the user named, before anything is made ready.
namespace trainyard {

// The same folder without links in its path, so that a link that is pointed elsewhere later changes nothing.
// `not_found` when there is nothing, `invalid` when it is not a folder, `io` when it cannot be read.
Result<Path> resolve_dataset(const Path& dataset);

// `invalid` when `folder` is the dataset or lies in it: the data would then contain itself. Both exist.
Result<void> require_outside(const Path& dataset, const Path& folder);

// A mount point below the folder, or none. An overlay shows it as an empty folder, because a mount is not part of what
// is below it. REQUIRES: `folder` is as resolve_dataset gave it.
Result<std::optional<Path>> mounted_below(const Path& folder);

}  // namespace trainyard
