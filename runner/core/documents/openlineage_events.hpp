// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runner/core/lineage.hpp"
#include "runner/core/run_record.hpp"

namespace trainyard {

// Pure: what a run that is over tells those who gather lineage: a START event, and one of COMPLETE, FAIL or ABORT (of a run
// that was killed). Format: OpenLineage 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json; what it has no word for
// is in the run's facet `trainyard_run`, schemas/openlineage-run-facet.schema.json. Of variables that nobody gave or
// declared, and of secrets, nothing is told.
//
//   job      namespace trainyard://<host>, name <package>.<type of the run>
//   inputs   the version that ran: namespace trainyard://<host>, name packages/<package>
//            folders and archives: namespace file, name their path
//            named datasets: namespace trainyard://<host>, name datasets/<name>
//   outputs  the new version; the folder of artifacts
std::vector<Json> openlineage_events(const RunRecord& record);

// Each event a line.
std::string openlineage_lines(const RunRecord& record);
// Those of all runs of a lineage whose results can be read.
std::string openlineage_lines(const Lineage& lineage);

}  // namespace trainyard
