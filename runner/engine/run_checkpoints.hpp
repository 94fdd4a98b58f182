// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/runs/run_folder.hpp"

namespace trainyard {

// What one attempt of a run leaves for the next one: that of every worker, in folders of the attempt.

// Nothing there is fine, also when it was moved before.
Result<void> move_checkpoints(const RunFolder& from, const RunFolder& to);
// What a process that lives on changes meanwhile may be half there, as it may be in a checkpoint of a job that was killed.
Result<void> copy_checkpoints(const RunFolder& from, const RunFolder& to);

// The run is over, and `last` its folder as its last attempt has it: what is there of that one goes to where people look for
// it, unless it is not wanted any more, and nothing of the others stays.
Result<void> settle_checkpoints(const RunFolder& last, int attempts, int workers, bool wanted);

}  // namespace trainyard
