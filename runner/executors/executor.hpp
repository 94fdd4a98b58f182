// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <variant>

#include "runner/core/job_exit.hpp"
#include "runner/core/job_id.hpp"
#include "runner/core/secrets.hpp"
#include "storage/files/files.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct JobRunning {};
struct JobLost {};  // no process and no exit.json: nobody can say any more how it ended
using JobLook = std::variant<JobRunning, JobExit, JobLost>;

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
  // secrets that its job.json names reach it without a file.
  virtual Result<JobId> start(const Path& run_folder, const Secrets& secrets) = 0;

  // The job that was started for `run_folder` by a process that died before it could note the id. When it answers none,
  // no job runs there and none will: a start that is still under way gives up.
  virtual Result<std::optional<JobId>> recall(const Path& run_folder) = 0;

  virtual Result<JobLook> look(const JobId& job, const Path& run_folder) = 0;

  // Asks the job to end; `polite` gives it the grace of its job.json, `now` none. A job that has ended is fine; of one
  // that was lost, `now` ends what it started.
  virtual Result<void> stop(const JobId& job, const Path& run_folder, StopForce force) = 0;
};

}  // namespace trainyard
