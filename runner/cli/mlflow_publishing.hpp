// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/engine/mlflow_logging.hpp"
#include "storage/remotes/remote_list.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// An MLflow server, and what it is to be told.
struct MlflowTarget {
  MlflowAddress address;
  MlflowRun run;
};

// What all servers are to be told of the run that made a version, which is published on these remotes. Everything that can
// be refused is refused here.
Result<std::vector<MlflowTarget>> mlflow_targets(const std::vector<MlflowAddress>& addresses,
                                                 const VersionRecord& version, const std::vector<KnownRemote>& remotes,
                                                 const std::optional<VersionLabel>& label, const Store& store);

// With the credentials that the environment has: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and
// MLFLOW_TRACKING_PASSWORD.
Result<LoggedRun> log_to(const MlflowTarget& target);

}  // namespace trainyard
