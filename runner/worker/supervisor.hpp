// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "storage/files/files.hpp"

namespace trainyard {

// The outer half of the worker: runs the job of one run folder in a process of its own, keeps its deadline and its
// grace, collects its logs, and leaves a truthful exit.json whatever the job does. It loads nothing foreign.
//
//   SIGTERM, SIGINT  the job is asked to end, and killed when the grace of job.json has passed
//   SIGUSR1          the job is killed
//
// Returns the exit code of the process: 0 also when nothing was done because the job is claimed already, 70 when
// exit.json could not be written. REQUIRES: one thread; the process is this function's alone.
//
// A job with several workers is conducted (conductor.hpp) instead, and each of the workers supervised by a process of its
// own.
int supervise(const Path& run_folder);

// The same for a process that Slurm has begun:
//
//   SIGINT   the job is asked to end        SIGUSR1  it is killed
//   SIGTERM  Slurm itself wants it to end, and will soon kill it
//
// When slurmstepd ends before the job, the job is killed: Slurm may give its node to another one, or begin it anew.
int supervise_in_slurm(const Path& run_folder);

// The same as `supervise` for one worker of the job of `run_folder`, also in Slurm. The environment of this process says
// where the others are (rank_start.hpp). When the process that started it ends, its job is killed; `parent` is that process,
// 0 where it is not known.
int supervise_rank(const Path& run_folder, int rank, pid_t parent);

// The same for an element of an array of Slurm's: its run folder is at its place in a file of paths, each with a zero byte
// after it.
int supervise_in_slurm_array(const Path& folders);

}  // namespace trainyard
