// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/values/json.hpp"
#include "tests/fault/fault_store.hpp"

namespace trainyard {

// What a store promises after every command that ended by itself while no job ran, whatever was interrupted before:
//
//   - no run is active, and each is listed with an end, complete results and no workspace
//   - the numbers of a package's versions have no gap, each run made at most one, and exactly the successful runs but the
//   evaluations and reproductions made one
//   - every tree that a version, a snapshot or a result names is there with all its objects
//   - every object holds the bytes of its name
struct StoreLook {
  std::vector<std::string> broken;  // one sentence for each promise that is not kept
  Json runs;                        // as `runs list --json` gave them
  std::vector<std::string> counts;  // the versions of the package counts, such as "1.0"
  std::size_t rubbish = 0;          // files in tmp/
};

// Runs `runs list`, then looks.
StoreLook look_at(const FaultStore& store);

}  // namespace trainyard
