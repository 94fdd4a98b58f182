// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "runner/core/job_exit.hpp"
#include "runner/core/job_id.hpp"
#include "runner/core/outcome.hpp"
#include "runner/core/secrets.hpp"
#include "storage/files/files.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct JobRunning {};
struct JobWaiting {  // started, and no machine has it yet
  std::string reason;
};
struct JobLost {  // it is gone and left no exit.json
  Outcome outcome;
};
using JobLook = std::variant<JobRunning, JobWaiting, JobExit, JobLost>;

// Whether there is a job still: one that runs, or will.
inline bool goes_on(const JobLook& look) {
  return std::holds_alternative<JobRunning>(look) || std::holds_alternative<JobWaiting>(look);
}

enum class StopForce { polite, now };

// Where a job runs. The job is described by job.json in its run folder, and everything it tells lies there too; an
// executor only starts it, looks at it and stops it. Thread-safe.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Starts the job of `run_folder`, which must not have been started before. It outlives this process. The values of the
  // secrets that its job.json names reach it without lying readable in a file. `unavailable` when no job can be taken now
  // and the same call may succeed later.
  virtual Result<JobId> start(const Path& run_folder, const Secrets& secrets) = 0;

  // The job that was started for `run_folder` by a process that died before it could note the id. When it answers none,
  // no job runs there and none will: a start that is still under way gives up.
  virtual Result<std::optional<JobId>> recall(const Path& run_folder) = 0;

  // exit.json is the truth, all else a hint: a job is lost only when its place has let go of it and no exit.json has come.
  virtual Result<JobLook> look(const JobId& job, const Path& run_folder) = 0;

  // Asks the job to end; `polite` gives it the grace of its job.json, `now` none. A job that waits ends without beginning.
  // One that has ended is fine; of one that was lost, `now` ends what it started. `unavailable` when its place cannot be
  // told now.
  virtual Result<void> stop(const JobId& job, const Path& run_folder, StopForce force) = 0;

  // How long to wait at most before the next look.
  [[nodiscard]] virtual std::chrono::microseconds longest_pause(const JobId& /*job*/) const {
    return std::chrono::milliseconds(50);
  }
};

}  // namespace trainyard
