// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/outcome.hpp"
#include "runner/core/reproduction.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

struct ReproductionEnd {
  Reproduction reproduction;
  Outcome outcome;  // of the run, if it was begun and failed
};

// Does the run that made a version once more and judges what comes out. The run is one like any other, with its own folder
// and process; it begins with the version's parent and with the data as the store has them, and ends without a version.
// What it makes stays in the store until the run is deleted. The secrets of the first run have to be among those of the
// ports, and are compared with what was kept of them.
//
// What is missing is told in the answer; an error is `not_found` when there is no such version, or trouble with the store.
Result<ReproductionEnd> reproduce(const PackageReference& version, double tolerance, RunPorts& ports);

}  // namespace trainyard
