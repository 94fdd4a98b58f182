// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/secrets.hpp"
#include "storage/files/unique_fd.hpp"

namespace trainyard {

// Secrets on their way to a process of this machine: a file that is in memory alone, at its beginning, as its standard
// input. An empty descriptor where there are none.
Result<UniqueFd> secrets_in_memory(const Secrets& secrets);

}  // namespace trainyard
