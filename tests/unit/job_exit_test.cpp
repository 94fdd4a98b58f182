// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_exit.hpp"

#include <catch2/catch.hpp>

namespace trainyard::job_exit_test {
namespace {

JobExit exit_with(std::optional<int> code, std::optional<int> signal, std::optional<std::string> failure) {
  return {code, signal, std::move(failure), StopCause::asked, Instant{1}, Instant{2}, 3, 4, 5, 6, 7};
}

}  // namespace

TEST_CASE("an exit has one of code, signal and failure", "[job_exit]") {
  struct Row {
    JobExit exit;
    bool good;
  };
  const Row rows[] = {
      {exit_with(0, {}, {}), true},   {exit_with(255, {}, {}), true},
      {exit_with({}, 11, {}), true},  {exit_with({}, {}, "no such file"), true},
      {exit_with({}, {}, {}), false}, {exit_with(0, 11, {}), false},
      {exit_with(0, {}, "x"), false}, {exit_with({}, 11, "x"), false},
      {exit_with(0, 11, "x"), false},
  };
  for (const Row& row : rows) {
    const Json json = to_json(row.exit);
    CAPTURE(json);
    const auto read = job_exit_from(json);
    REQUIRE(read.ok() == row.good);
    if (row.good) CHECK((*read == row.exit));
    if (!row.good) CHECK(read.error().message == "the exit does not have exactly one of code, signal and failure");
  }
}

TEST_CASE("an exit is that of a full disk only where there is a failure", "[job_exit]") {
  JobExit exit = exit_with({}, {}, "no space");
  CHECK(to_json(exit).at("disk_full") == false);
  exit.disk_full = true;
  const auto read = job_exit_from(to_json(exit));
  REQUIRE(read.ok());
  CHECK((*read == exit));
  exit.failure.reset();
  exit.code = 0;
  CHECK(job_exit_from(to_json(exit)).error().message == "the exit is that of a full disk without a failure");
}

TEST_CASE("an exit says whose it is, and what earlier versions wrote is read as well", "[job_exit]") {
  JobExit exit = exit_with({}, {}, "gone");
  exit.lost = true;
  exit.rank = JobRank{2, "n3"};
  const auto read = job_exit_from(to_json(exit));
  REQUIRE(read.ok());
  CHECK((*read == exit));
  Json earlier = to_json(exit_with(0, {}, {}));
  earlier.erase("rank");
  earlier.erase("lost");
  CHECK(job_exit_from(earlier).ok());
  exit.failure.reset();
  exit.code = 0;
  CHECK(job_exit_from(to_json(exit)).error().message == "the exit is that of a lost job without a failure");
}

TEST_CASE("an exit is refused with the key and the rule", "[job_exit]") {
  const auto refusal = [](const char* key, const Json& value) {
    Json json = to_json(exit_with(0, {}, {}));
    json[key] = value;
    return job_exit_from(json).error().message;
  };
  CHECK(refusal("code", 256) == "the exit, key 'code': is not between 0 and 255");
  CHECK(refusal("code", "0") == "the exit, key 'code': is not a whole number");
  CHECK(refusal("stop", "bored") == "the exit, key 'stop': 'bored' is none of none, asked, max_runtime, scheduler");
  CHECK(refusal("peak_bytes", -1) == "the exit, key 'peak_bytes': is not between 0 and 9223372036854775807");
  CHECK(refusal("schema", "trainyard.exit/2") ==
        "the exit has schema 'trainyard.exit/2' but this Trainyard reads 'trainyard.exit/1'");
}

}  // namespace trainyard::job_exit_test
