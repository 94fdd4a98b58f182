// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/job_exit.hpp"
#include "runner/jobs/job_folder.hpp"

namespace trainyard {

// The file exit.json before it is written. Its room on the disk is taken when the job starts, so that a job that fills
// the disk does not take away the means to say so.
class ExitReport {
 public:
  // Never fails: without room, `write` tries again.
  explicit ExitReport(const JobFolder& folder);

  // exit.json is there, whole and durable, when this returns.
  Result<void> write(const JobExit& exit);

 private:
  Path path_;
  Path temporary_;
  UniqueFd fd_;
};

}  // namespace trainyard
