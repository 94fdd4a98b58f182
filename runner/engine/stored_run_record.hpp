// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runner/core/run_record.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// What a run that is over says of itself; none when it was deleted, or is not over. `corrupt` names the file that cannot
// be read.
Result<std::optional<RunRecord>> read_run_record(const RunId& run, const Store& store);

}  // namespace trainyard
