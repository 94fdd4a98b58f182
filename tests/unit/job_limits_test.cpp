// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_limits.hpp"

#include <catch2/catch.hpp>

#include "runner/core/outcome.hpp"

namespace trainyard::job_limits_test {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;

}  // namespace

TEST_CASE("a limit that was hit is told with its figures", "[job_limits]") {
  struct Row {
    LimitHit hit;
    RunReason reason;
    const char* message;
  };
  const Row rows[] = {
      {{JobLimit::memory, 512 * kMiB, 512 * kMiB},
       RunReason::out_of_memory,
       "the run used more than the 512 MiB of memory that it may have"},
      {{JobLimit::memory, 512 * kMiB, 600 * kMiB},
       RunReason::out_of_memory,
       "the run used more than the 512 MiB of memory that it may have: 600 MiB"},
      {{JobLimit::memory, 512 * kMiB, 512 * kMiB + 4096},
       RunReason::out_of_memory,
       "the run used more than the 512 MiB of memory that it may have"},
      {{JobLimit::processes, 100, 100},
       RunReason::too_many_processes,
       "the run started more than the 100 processes and threads at once that it may have"},
      {{JobLimit::open_files, 1024, 1030},
       RunReason::too_many_open_files,
       "a process of the run opened more than the 1024 files at once that it may have: 1030"},
      {{JobLimit::disk, 1536 * kMiB, 3 * 1024 * kMiB},
       RunReason::disk_full,
       "the run used more than the 1.5 GiB of disk that it may have: 3 GiB"},
      {{JobLimit::log, 1000, 1001},
       RunReason::log_full,
       "the run wrote more than the 1000 B of log that it may have: 1001 B"},
      {{JobLimit::free_disk, 512 * kMiB, 200 * kMiB},
       RunReason::disk_full,
       "the run left 200 MiB free on the file system of the store, where 512 MiB are kept free"},
      {{JobLimit::free_disk, 512 * kMiB, 512 * kMiB - 1},
       RunReason::disk_full,
       "the run left 511.9 MiB free on the file system of the store, where 512 MiB are kept free"},
      {{JobLimit::free_files, 60'000, 12},
       RunReason::disk_full,
       "the run left room for 12 more files on the file system of the store, where room for 60000 is kept"},
      {{JobLimit::disk, INT64_MAX - 1, INT64_MAX},
       RunReason::disk_full,
       "the run used more than the 8388607.9 TiB of disk that it may have"},
  };
  for (const Row& row : rows) {
    const Outcome end = outcome_of(row.hit);
    CHECK(name_of(end.reason) == name_of(row.reason));
    CHECK(end.message == row.message);
    CHECK((limit_hit_from(to_json(row.hit)).value() == row.hit));
  }
}

TEST_CASE("every limit of a job has a name", "[job_limits]") {
  const std::string_view names[] = {"memory", "processes", "open_files", "disk", "log", "free_disk", "free_files"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    CHECK(name_of(static_cast<JobLimit>(i)) == names[i]);
    CHECK((parse_job_limit(names[i]).value() == static_cast<JobLimit>(i)));
  }
  CHECK(parse_job_limit("cpu").error().message == "'cpu' is not a limit of a job");
}

TEST_CASE("the limits of a job have one form", "[job_limits]") {
  CHECK(
      canonical(to_json(JobLimits{})) ==
      R"({"cpu_thousandths":null,"disk_bytes":null,"log_bytes":null,"memory_bytes":null,"open_files":null,"processes":null})");
  const JobLimits all{1, 1500, 3, 4, INT64_MAX, 6};
  CHECK(
      canonical(to_json(all)) ==
      R"({"cpu_thousandths":1500,"disk_bytes":9223372036854775807,"log_bytes":6,"memory_bytes":1,"open_files":4,"processes":3})");
  CHECK((job_limits_from(to_json(all)).value() == all));
  CHECK((job_limits_from(to_json(JobLimits{})).value() == JobLimits{}));
}

TEST_CASE("limits that make no sense are refused", "[job_limits]") {
  const auto changed = [](const char* key, const Json& value) {
    Json json = to_json(JobLimits{});
    json[key] = value;
    return job_limits_from(json).ok();
  };
  for (const char* const key :
       {"memory_bytes", "cpu_thousandths", "processes", "open_files", "disk_bytes", "log_bytes"}) {
    CAPTURE(key);
    CHECK(changed(key, 1));
    CHECK_FALSE(changed(key, 0));
    CHECK_FALSE(changed(key, -1));
    CHECK_FALSE(changed(key, "1"));
    CHECK_FALSE(changed(key, 1.5));
    Json without = to_json(JobLimits{});
    without.erase(key);
    CHECK_FALSE(job_limits_from(without).ok());
  }
  CHECK_FALSE(changed("gpus", 1));
  CHECK_FALSE(job_limits_from(Json::array()).ok());
  const Json hit = to_json(LimitHit{JobLimit::disk, 1, 2});
  for (const auto& [key, value] : {std::pair("limit", Json("rain")), {"bound", Json(0)}, {"reached", Json(-1)}}) {
    Json wrong = hit;
    wrong[key] = value;
    CAPTURE(key);
    CHECK_FALSE(limit_hit_from(wrong).ok());
  }
}

}  // namespace trainyard::job_limits_test
