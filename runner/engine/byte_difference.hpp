// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/reproduction.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// Reads two objects of the store once each and compares them byte by byte, in little memory. `not_found` when one of them
// is not there.
Result<DifferentBytes> compare_bytes(const Digest& before, const Digest& after, const Store& store);

}  // namespace trainyard
