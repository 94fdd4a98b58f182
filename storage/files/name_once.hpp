// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"

namespace trainyard {

// Gives a file that is whole its name, on the same file system, unless something has it: that is `exists`, and `made` is
// left as it was. Nothing is synced.
Result<void> name_once(const Path& made, const Path& name);

}  // namespace trainyard
