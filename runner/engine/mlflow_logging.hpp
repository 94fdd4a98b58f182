// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "runner/core/documents/mlflow_run.hpp"
#include "storage/http/http_client.hpp"

namespace trainyard {

// Who speaks to an MLflow server. Never shown.
struct MlflowCredentials {
  std::string user;  // with the password; or neither
  std::string password;
  std::string token;  // goes first
};

struct LoggedRun {
  std::string experiment;  // their ids, as the server gave them
  std::string run;
  std::string model_version;  // "3"
  enum class State { logged, was_there } state = State::logged;
};

// Logs a run and registers the version that it made. A run that is there already, by the tag that has its id, is finished if
// it is not whole, and left as it is otherwise; so everything can be repeated after any error. Where two log the same run
// at once, or an answer was lost and the run was made twice, the one with the least id stays, and the other is deleted.
// `unavailable` may work later; `incompatible` when the server speaks no MLflow.
Result<LoggedRun> log_to_mlflow(const MlflowRun& run, const MlflowAddress& address,
                                const MlflowCredentials& credentials, HttpClient& http);

}  // namespace trainyard
