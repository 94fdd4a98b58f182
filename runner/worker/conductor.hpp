// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/job_spec.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/worker/slurm_allocation.hpp"

namespace trainyard {

// The supervisor of a job with several workers: each of them has a supervisor of its own (supervise_rank), and this one
// starts them, hands on to all of them that the job is to stop, stops the others when one has failed, and tells the end of
// all together in the job's exit.json when none is left. It takes the signals that `supervise` takes, or where Slurm began
// it (`slurm` is not null) those that `supervise_in_slurm` does.
//
// A supervisor of a worker that is gone without an exit.json has failed; what it left is ended here. Returns the exit code
// of the process. REQUIRES: one thread; the process is this function's alone.
int conduct(const JobFolder& folder, const JobSpec& job, const std::string& claimant, const SlurmAllocation* slurm);

}  // namespace trainyard
