// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runner/core/run_state.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// The states that a run entered, in order; none when it has not begun. A torn last line is left out.
Result<std::vector<JournalEntry>> read_journal(const RunFolder& folder);

}  // namespace trainyard
