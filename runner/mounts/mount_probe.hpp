// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/mounts/mount_choice.hpp"

namespace trainyard {

// Finds out what is possible, by doing it: mounts an overlay over the dataset in a process of its own (`worker_program
// probe-overlay`), and clones a file of it. `scratch` is a folder on the file system of the runs.
//
// The answers of one kernel, user, pair of namespaces and pair of file systems rest for an hour in `scratch` as
// mount-probe-KEY.json, so that most calls read one small file; a cache that cannot be read or written is passed over.
// That a mount can be made is never a promise: making one may still fail.
//
// An error is about the dataset (as DatasetMount::prepare) or the worker program, which could not be run.
Result<MountFacts> probe_mounts(const Path& worker_program, const Path& dataset, const Path& scratch);

}  // namespace trainyard
