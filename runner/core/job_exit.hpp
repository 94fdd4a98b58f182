// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runner/core/isolation.hpp"
#include "runner/core/job_limits.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// Who ended a job before its code did.
enum class StopCause { none, asked, max_runtime, scheduler };
std::string_view name_of(StopCause cause);

// One worker of a run on several nodes.
struct JobRank {
  int number = 0;
  std::string host;  // as the workers call it
  friend bool operator==(const JobRank&, const JobRank&) = default;
};
Json to_json(const JobRank& rank);
Result<JobRank> job_rank_from(const Json& json);

// What the supervisor saw of the package's process: the file exit.json, written by rename as its last act.
// Schema: schemas/exit.schema.json. Exactly one of `code`, `signal` and `failure` is set.
struct JobExit {
  std::optional<int> code;
  std::optional<int> signal;
  std::optional<std::string> failure;  // the process could not be started: the data not mounted, the program not found
  StopCause stop = StopCause::none;
  Instant started_at;
  Instant ended_at;
  std::int64_t user_us = 0;  // CPU time of the process and the children it waited for, in microseconds
  std::int64_t system_us = 0;
  std::int64_t peak_bytes =
      0;  // of memory: of all its processes at once where a control group counts, else of the largest
  std::int64_t read_bytes = 0;  // from storage, not from what the kernel keeps in memory
  std::int64_t written_bytes = 0;
  std::optional<LimitHit> limit = std::nullopt;         // that ended the job
  std::optional<Isolation> isolation = std::nullopt;    // that it ran in; none when it did not come so far
  std::optional<std::string> scheduler = std::nullopt;  // what it said; of one that it ended
  bool disk_full = false;                               // why there is a failure; only beside one
  bool lost = false;                                    // the same: whoever should have told of the end is gone
  // Where a run has several workers: whose end it is. The usage is that of all of them.
  std::optional<JobRank> rank = std::nullopt;

  friend bool operator==(const JobExit&, const JobExit&) = default;
};

Json to_json(const JobExit& exit);
Result<JobExit> job_exit_from(const Json& json);

}  // namespace trainyard
