// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "storage/files/files.hpp"

// The number in the file `generation` of the folder of the objects: another one whenever objects were taken out. Who
// remembers that an object is there remembers the number with it.
namespace trainyard {

// 1 for a store that never lost an object.
Result<std::uint64_t> read_generation(const Path& objects);
// Durable when this returns: before the first object goes, so that nobody remembers what is gone. REQUIRES: the store is
// held alone.
Result<void> next_generation(const Path& objects, const Path& scratch);

}  // namespace trainyard
