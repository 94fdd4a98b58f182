// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// Whether there is a folder at `inner` below `root`, and no link on the way to it that a package may have put there, which
// would lead to what is not the run's. REQUIRES: nothing changes there meanwhile, as when the job has ended.
bool is_inner_folder(const Path& root, const RelPath& inner);

}  // namespace trainyard
