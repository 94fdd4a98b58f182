// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "runner/core/job_spec.hpp"

// An overlay that nobody but this process and its children can see. It needs no cleaning up: the kernel unmounts it
// when the last of them ends, however they end. What is written below the target lands in the upper folder; the lower
// one is never written.
namespace trainyard {

// Whose files of the lower folder the processes of the overlay can change, in their private layer.
enum class MappedIds {
  all,
  own,  // only files that belong to the effective user and group; changing any other fails with EPERM or EOVERFLOW
};
std::string_view name_of(MappedIds ids);

// What enter_private_overlay will give to this process. Only root outside of any user namespace maps all ids.
MappedIds mapped_ids();

// Keeps the ids of the calling process in its new user namespace as they are, so that it sees itself as the user that it
// is. REQUIRES: the process has not changed them.
Result<void> map_own_ids(uid_t user, gid_t group);

// Keeps what is mounted in this process's mount namespace from travelling to others.
Result<void> make_mounts_private();

// Mounts the overlays in the calling process's own mount namespace, one after another; the folder on which a later one is
// mounted may lie in an earlier one, and is made there.
Result<void> mount_overlays(const std::vector<OverlayMount>& overlays, MappedIds ids);

// Moves the calling process into a mount namespace of its own (without root: also into a user namespace, with the same
// ids) and mounts the overlays there. The upper and the work folders exist, are empty, and are thrown away afterwards:
// nothing in them is ever synced. For MappedIds::own, rename(2) of a folder that comes from the lower one fails with
// EXDEV, as between two file systems; programs like mv then copy.
//
// REQUIRES: one thread. After an error the process may be in the namespace, without the mount: end it.
Result<void> enter_private_overlays(const std::vector<OverlayMount>& overlays);

}  // namespace trainyard
