// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/json.hpp"

namespace trainyard {

struct Outcome;

// How much a job may use. What has no value is not bounded, but by what is kept free for everything else.
struct JobLimits {
  std::optional<std::int64_t> memory_bytes;     // resident, of all its processes together
  std::optional<std::int64_t> cpu_thousandths;  // 1500: one and a half processors
  std::optional<std::int64_t> processes;        // at once; a thread counts as one
  std::optional<std::int64_t> open_files;       // of one process
  std::optional<std::int64_t> disk_bytes;       // below its own folders: scratch and artifacts together
  std::optional<std::int64_t> log_bytes;        // stdout, stderr and events together
  friend bool operator==(const JobLimits&, const JobLimits&) = default;
};

// What a job ran into. The last two are bounds that every job has: the file system of its folders is never filled up.
enum class JobLimit { memory, processes, open_files, disk, log, free_disk, free_files };
std::string_view name_of(JobLimit limit);
Result<JobLimit> parse_job_limit(std::string_view text);

// A job that was ended because it wanted more than it may have.
struct LimitHit {
  JobLimit limit = JobLimit::memory;
  std::int64_t bound = 0;    // in bytes, or a number
  std::int64_t reached = 0;  // what was seen when it was ended; not more than the bound where more was refused
  friend bool operator==(const LimitHit&, const LimitHit&) = default;
};

// Pure: the end of a run whose job hit a limit, with the figures.
Outcome outcome_of(const LimitHit& hit);

Json to_json(const JobLimits& limits);
Result<JobLimits> job_limits_from(const Json& json);
Json to_json(const LimitHit& hit);
Result<LimitHit> limit_hit_from(const Json& json);

}  // namespace trainyard
