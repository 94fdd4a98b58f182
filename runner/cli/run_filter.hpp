// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/cli/command.hpp"
#include "storage/runs/run_index.hpp"

namespace trainyard {

// `invalid` names the option.
Result<RunQuery> query_of(const command::RunsList& command);

}  // namespace trainyard
