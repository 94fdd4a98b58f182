// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/fault/promises.hpp"

namespace trainyard {

// The states of a run that succeeds, in their order.
inline const std::vector<std::string> kStates = {"Planned",   "Staged",    "Running",  "Exited",
                                                 "Succeeded", "Collected", "Published"};

// Whether a run that is in this state has a job, so that nothing but the job decides how it ends.
bool has_job(const std::string& state);

// Requires that every promise is kept after the next command; yields what it saw.
StoreLook require_promises(const FaultStore& store);

// Requires that a training now works, makes the version after `before`, and leaves every promise kept.
void require_next_training(const FaultStore& store, const StoreLook& before);

// Requires that a command on which a fault was inflicted that it could see ended in one of the ways that are allowed:
// by itself, and with one sentence if it failed.
void require_orderly_end(const CommandEnd& end);

// The numbers of the calls before which the run enters its first, second … state, from the calls of a run that nothing
// befell.
std::vector<std::size_t> journal_calls(const CommandEnd& end);

}  // namespace trainyard
