// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "runner/core/run_record.hpp"
#include "runner/core/sweep_board.hpp"
#include "storage/runs/run_index.hpp"
#include "storage/store/store.hpp"

// What the runs of a store tell of a sweep: its only memory.
namespace trainyard {

// The runs of a store that are like this, with their tags.
using FindRuns = std::function<Result<std::vector<RunFacts>>(const Store& store, const RunQuery& query)>;

// Pure: what a run that is over tells, as a trial of this point on this rung.
SweepTrial trial_of(const RunRecord& record, const std::optional<std::string>& metric, std::size_t point, int rung);

// The names of what a run measured.
std::vector<std::string> measured_in(const RunRecord& record);

// The sweep with all that its runs tell by now.
Result<SweepBoard> read_board(Sweep sweep, const Store& store, const FindRuns& find_runs);

}  // namespace trainyard
