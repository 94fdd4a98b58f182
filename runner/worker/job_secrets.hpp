// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/job_spec.hpp"
#include "runner/core/secrets.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/worker/slurm_allocation.hpp"

namespace trainyard {

// The values that the job names: from the standard input of this process, or, where Slurm began it, from the sealed file of
// the job's folder, which is gone afterwards. `slurm` is null where it did not.
Result<Secrets> take_secrets(const JobSpec& job, const JobFolder& folder, const SlurmAllocation* slurm);

}  // namespace trainyard
