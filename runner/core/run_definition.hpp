// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "runner/core/run_plan.hpp"

// What makes two runs that train the same run: what is given to the code, and not what is made of it.
namespace trainyard {

// Pure: a digest of everything but the data. Type, package and the tree of its version; variables and hyperparameters as the
// code finds them; interpreter and dependencies; how many GPUs; where there are several, how many workers
// and how they divide the data. Of secrets the names, because two salted digests cannot be
// compared. Not what a run keeps of its data, how long it may take, or what it is called.
Digest definition_of(const RunPlan& plan);

// The rest of it: the content of the data, in one text.
std::string data_text(const Digest& data, const std::optional<Digest>& evaluation);

}  // namespace trainyard
