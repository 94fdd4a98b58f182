// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/job_exit.hpp"
#include "runner/jobs/job_folder.hpp"

namespace trainyard {

// exit.json is there, whole and durable, when this returns.
Result<void> report_exit(const JobFolder& folder, const JobExit& exit);

}  // namespace trainyard
