// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"

namespace trainyard {

// Finds out whether this process could give a job an overlay, by doing it: mounts one over `lower` with its layers in
// `scratch`, an empty folder, and writes, renames and deletes in it. The whole of `trainyard-worker probe-overlay LOWER
// SCRATCH`: prints the name of the MappedIds and a newline and yields 0; or prints one sentence to stderr and yields 1.
// What it leaves in `scratch` is the caller's to remove. Nothing changes in `lower`.
//
// REQUIRES: one thread; the process ends afterwards, because it now lives in the overlay's namespace.
int run_overlay_probe(const Path& lower, const Path& scratch);

}  // namespace trainyard
