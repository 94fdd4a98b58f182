// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/job_spec.hpp"
#include "runner/jobs/job_folder.hpp"

// The file system of a job that has one of its own: the system's programs and libraries, read-only; the few files of /etc
// that programs need; the simplest devices; the job's own folders, where they are for everybody else; its temporary folder,
// as /tmp. Nothing else: not the store, no home folder, no other run.
namespace trainyard {

// What of the system a job may read, in this order: programs and libraries, files of /etc, what the kernel tells of the
// processors.
std::vector<std::string> readable_of_the_system();
// Device files that anybody may use, as paths.
std::vector<std::string> plain_devices();

enum class Proc { fresh, shared };

// Moves the calling process into it. With Proc::fresh it shows the processes of the caller's process namespace alone.
// `incompatible` where that /proc cannot be mounted, as in many containers.
// REQUIRES: one thread, a mount namespace of its own, whose mounts are private. After an error: end the process.
Result<void> enter_private_root(const Sandbox& sandbox, const JobLimits& limits, const JobFolder& folder, Proc proc);

}  // namespace trainyard
