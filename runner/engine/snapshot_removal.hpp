// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/hold_alone.hpp"
#include "storage/trees/snapshots.hpp"

namespace trainyard {

// Whether a snapshot goes although versions of packages were trained on it, which then cannot be made again.
enum class TrainedVersions { keep_snapshot, lose_snapshot };

// Removes the record of a snapshot; its bytes stay until garbage is collected, and where anything else needs them.
// `invalid` names the versions that were trained on it, `unavailable` an active run that is.
Result<void> remove_snapshot(const Store& store, const Snapshot& snapshot, TrainedVersions versions, Instant now,
                             const WaitForWriters& writers);

}  // namespace trainyard
