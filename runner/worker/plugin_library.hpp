// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trainyard/abi.h>

#include <string>

#include "storage/values/result.hpp"

namespace trainyard {

// Brings a package's library into this process, for the rest of its life, and yields a copy of its table in which
// everything behind the package's own struct_size is null. Static constructors of the library run in here. `path` is
// absolute and exact. `incompatible`: not a library, a symbol missing, no entry, a table that is too short or lacks a
// required function.
Result<trainyard_package> load_plugin(const std::string& path);

}  // namespace trainyard
