// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_limits.hpp"

#include <array>

#include "runner/core/outcome.hpp"
#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kLimits[] = {"memory", "processes", "open_files", "disk", "log", "free_disk", "free_files"};

std::optional<std::int64_t> positive_or_null(Fields& fields, const char* key) {
  if (fields.nullable(key) == nullptr) return std::nullopt;
  return fields.integer(key, 1, INT64_MAX);
}

// "512 MiB", "1.5 GiB". Rounded down, so that what is below a bound never reads like the bound.
std::string bytes_text(std::int64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::int64_t unit_bytes = 1;
  while (unit + 1 < kUnits.size() && bytes / 1024 >= unit_bytes) {
    unit_bytes *= 1024;
    ++unit;
  }
  const std::int64_t tenth = bytes % unit_bytes * 10 / unit_bytes;
  return std::to_string(bytes / unit_bytes) + (tenth > 0 ? "." + std::to_string(tenth) : "") + " " + kUnits.at(unit);
}

enum class Unit { bytes, count };

// "the run used more than the 512 MiB of memory that it may have: 600 MiB"
std::string exceeded(const LimitHit& hit, Unit unit, const std::string& did, const std::string& what) {
  const auto text = [unit](std::int64_t value) {
    return unit == Unit::bytes ? bytes_text(value) : std::to_string(value);
  };
  const std::string bound = text(hit.bound);
  const std::string reached = text(hit.reached);
  const bool more = hit.reached > hit.bound && reached != bound;
  return did + " more than the " + bound + " " + what + " that it may have" + (more ? ": " + reached : "");
}

}  // namespace

std::string_view name_of(JobLimit limit) { return kLimits[static_cast<std::size_t>(limit)]; }

Result<JobLimit> parse_job_limit(std::string_view text) {
  if (const auto value = enum_named<JobLimit>(kLimits, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a limit of a job");
}

Outcome outcome_of(const LimitHit& hit) {
  switch (hit.limit) {
    case JobLimit::memory:
      return outcome(RunReason::out_of_memory, exceeded(hit, Unit::bytes, "the run used", "of memory"));
    case JobLimit::processes:
      return outcome(RunReason::too_many_processes,
                     exceeded(hit, Unit::count, "the run started", "processes and threads at once"));
    case JobLimit::open_files:
      return outcome(RunReason::too_many_open_files,
                     exceeded(hit, Unit::count, "a process of the run opened", "files at once"));
    case JobLimit::disk: return outcome(RunReason::disk_full, exceeded(hit, Unit::bytes, "the run used", "of disk"));
    case JobLimit::log: return outcome(RunReason::log_full, exceeded(hit, Unit::bytes, "the run wrote", "of log"));
    case JobLimit::free_disk:
      return outcome(RunReason::disk_full, "the run left " + bytes_text(hit.reached) +
                                               " free on the file system of the store, where " + bytes_text(hit.bound) +
                                               " are kept free");
    case JobLimit::free_files: break;
  }
  return outcome(RunReason::disk_full, "the run left room for " + std::to_string(hit.reached) +
                                           " more files on the file system of the store, where room for " +
                                           std::to_string(hit.bound) + " is kept");
}

Json to_json(const JobLimits& limits) {
  return {{"memory_bytes", or_null(limits.memory_bytes)}, {"cpu_thousandths", or_null(limits.cpu_thousandths)},
          {"processes", or_null(limits.processes)},       {"open_files", or_null(limits.open_files)},
          {"disk_bytes", or_null(limits.disk_bytes)},     {"log_bytes", or_null(limits.log_bytes)}};
}

Result<JobLimits> job_limits_from(const Json& json) {
  JobLimits limits;
  Fields fields(json, "the limits of the job");
  limits.memory_bytes = positive_or_null(fields, "memory_bytes");
  limits.cpu_thousandths = positive_or_null(fields, "cpu_thousandths");
  limits.processes = positive_or_null(fields, "processes");
  limits.open_files = positive_or_null(fields, "open_files");
  limits.disk_bytes = positive_or_null(fields, "disk_bytes");
  limits.log_bytes = positive_or_null(fields, "log_bytes");
  TRY(fields.finish());
  return limits;
}

Json to_json(const LimitHit& hit) {
  return {{"limit", name_of(hit.limit)}, {"bound", hit.bound}, {"reached", hit.reached}};
}

Result<LimitHit> limit_hit_from(const Json& json) {
  LimitHit hit;
  Fields fields(json, "the limit that was hit");
  const auto limit = fields.parsed("limit", parse_job_limit);
  hit.bound = fields.integer("bound", 1, INT64_MAX);
  hit.reached = fields.integer("reached", 0, INT64_MAX);
  TRY(fields.finish());
  hit.limit = *limit;
  return hit;
}

}  // namespace trainyard
