// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_exit.hpp"

#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kExitSchema = "trainyard.exit/1";
constexpr std::string_view kCauses[] = {"none", "asked", "max_runtime", "scheduler"};

Result<StopCause> parse_cause(std::string_view text) {
  if (const auto value = enum_named<StopCause>(kCauses, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of none, asked, max_runtime, scheduler");
}

std::optional<int> small_or_null(Fields& fields, const char* key) {
  if (fields.nullable(key) == nullptr) return std::nullopt;
  return static_cast<int>(fields.integer(key, 0, 255));
}

}  // namespace

std::string_view name_of(StopCause cause) { return kCauses[static_cast<std::size_t>(cause)]; }

Json to_json(const JobRank& rank) { return {{"number", rank.number}, {"host", rank.host}}; }

Result<JobRank> job_rank_from(const Json& json) {
  Fields fields(json, "the worker of the exit");
  const auto number = static_cast<int>(fields.integer("number", 0, INT32_MAX));
  std::string host = fields.text("host");
  TRY(fields.finish());
  return JobRank{number, std::move(host)};
}

Json to_json(const JobExit& exit) {
  return {{"schema", kExitSchema},
          {"code", or_null(exit.code)},
          {"signal", or_null(exit.signal)},
          {"failure", or_null(exit.failure)},
          {"disk_full", exit.disk_full},
          {"stop", name_of(exit.stop)},
          {"started_at", exit.started_at.text()},
          {"ended_at", exit.ended_at.text()},
          {"user_us", exit.user_us},
          {"system_us", exit.system_us},
          {"peak_bytes", exit.peak_bytes},
          {"read_bytes", exit.read_bytes},
          {"written_bytes", exit.written_bytes},
          {"scheduler", or_null(exit.scheduler)},
          {"limit", exit.limit ? to_json(*exit.limit) : Json(nullptr)},
          {"isolation", exit.isolation ? to_json(*exit.isolation) : Json(nullptr)},
          {"lost", exit.lost},
          {"rank", exit.rank ? to_json(*exit.rank) : Json(nullptr)}};
}

Result<JobExit> job_exit_from(const Json& json) {
  JobExit exit;
  Fields fields(json, "the exit");
  fields.schema(kExitSchema);
  exit.code = small_or_null(fields, "code");
  exit.signal = small_or_null(fields, "signal");
  exit.failure = fields.optional_text("failure");
  exit.disk_full = fields.boolean("disk_full");
  const auto stop = fields.parsed("stop", parse_cause);
  const auto started_at = fields.parsed("started_at", Instant::parse);
  const auto ended_at = fields.parsed("ended_at", Instant::parse);
  exit.user_us = fields.integer("user_us", 0, INT64_MAX);
  exit.system_us = fields.integer("system_us", 0, INT64_MAX);
  exit.peak_bytes = fields.integer("peak_bytes", 0, INT64_MAX);
  exit.read_bytes = fields.integer("read_bytes", 0, INT64_MAX);
  exit.written_bytes = fields.integer("written_bytes", 0, INT64_MAX);
  if (fields.has("scheduler")) exit.scheduler = fields.optional_text("scheduler");
  if (fields.nullable("limit") != nullptr) exit.limit = fields.nested("limit", limit_hit_from);
  if (fields.nullable("isolation") != nullptr) exit.isolation = fields.nested("isolation", isolation_from);
  // Not in what earlier versions wrote.
  if (fields.has("lost")) exit.lost = fields.boolean("lost");
  if (fields.has("rank") && fields.nullable("rank") != nullptr) exit.rank = fields.nested("rank", job_rank_from);
  TRY(fields.finish());
  if (int{exit.code.has_value()} + int{exit.signal.has_value()} + int{exit.failure.has_value()} != 1) {
    return fail(Errc::invalid, "the exit does not have exactly one of code, signal and failure");
  }
  if (exit.disk_full && !exit.failure) return fail(Errc::invalid, "the exit is that of a full disk without a failure");
  if (exit.lost && !exit.failure) return fail(Errc::invalid, "the exit is that of a lost job without a failure");
  exit.stop = *stop;
  exit.started_at = *started_at;
  exit.ended_at = *ended_at;
  return exit;
}

}  // namespace trainyard
