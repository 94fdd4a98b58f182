// SPDX-License-Identifier: Apache-2.0
#include "runner/core/ranks.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "runner/core/job_spec.hpp"
#include "runner/core/outcome.hpp"
#include "tests/unit/example_run.hpp"

namespace trainyard::ranks_test {
namespace {

// How one worker ended, in a letter: . well, s crashed, f said that it failed, c exit code, l lost, n no process, m a limit hit, a stopped,
// t out of time.
RankEnd end_of(int rank, char how, std::int64_t seconds) {
  RankEnd end{{rank, "n" + std::to_string(rank)}, JobExit(), how == '.', Instant{seconds * 1'000'000}};
  JobExit& exit = *end.exit;
  exit.started_at = Instant{0};
  exit.ended_at = end.seen_at;
  exit.user_us = 10;
  exit.system_us = 1;
  exit.read_bytes = 100;
  exit.written_bytes = 1000;
  exit.peak_bytes = 5 + rank;
  exit.code = 0;
  if (how == 's') exit.code.reset(), exit.signal = SIGSEGV;
  if (how == 'c') exit.code = 3;
  if (how == 'n') exit.code.reset(), exit.failure = "no process";
  if (how == 'm') exit.limit = LimitHit{JobLimit::memory, 1, 2};
  if (how == 'a') exit.stop = StopCause::asked;
  if (how == 't') exit.stop = StopCause::max_runtime;
  if (how == 'l') end.exit.reset();
  return end;
}

}  // namespace

TEST_CASE("the end of a job with several workers is that of the one that decided", "[ranks]") {
  struct Row {
    const char* ends;
    std::vector<std::int64_t> seconds;
    int decided;
    const char* why;
  };
  const Row rows[] = {
      {"...", {3, 1, 2}, 0, "all went well"},
      {"..f", {1, 2, 3}, 2, "one failed"},
      {"af.", {9, 1, 2}, 1, "the others were stopped for its sake"},
      {"aas", {9, 9, 1}, 2, "the same of a crash"},
      {"ff.", {5, 4, 1}, 1, "the first of two"},
      {"fs.", {10, 11, 1}, 1, "a crash is rather the cause than what is said a moment before"},
      {"fs.", {10, 20, 1}, 0, "but not one long after"},
      {"ss.", {11, 10, 1}, 1, "the first of two crashes"},
      {"fc.", {1, 2, 1}, 1, "so is an exit code"},
      {"fl.", {1, 2, 1}, 1, "a lost one"},
      {"fn.", {1, 2, 1}, 1, "one that could not begin"},
      {"fm.", {1, 2, 1}, 1, "and one that took too much"},
      {"fl.", {60, 20, 1}, 1, "a lost one that another one missed"},
      {"al.", {1, 2, 1}, 1, "one that was lost while the others stopped"},
      {"am.", {1, 2, 1}, 1, "or that hit a limit then"},
      {"aaa", {3, 2, 1}, 0, "a user stopped all"},
      {"..a", {1, 1, 2}, 2, "one could not end well any more"},
      {"att", {1, 2, 2}, 1, "out of time, which stopped the first too"},
      {"lll", {3, 2, 1}, 2, "all are gone"},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    std::vector<RankEnd> ends;
    for (int rank = 0; rank < 3; ++rank)
      ends.push_back(end_of(rank, row.ends[rank], row.seconds[static_cast<std::size_t>(rank)]));
    const JobExit exit = combined_exit(ends);
    CHECK((exit.rank == JobRank{row.decided, "n" + std::to_string(row.decided)}));
    const auto& decided = ends[static_cast<std::size_t>(row.decided)];
    CHECK(exit.lost == !decided.exit);
    if (decided.exit) {
      CHECK(exit.code == decided.exit->code);
      CHECK(exit.signal == decided.exit->signal);
      CHECK(exit.stop == decided.exit->stop);
      CHECK((exit.limit == decided.exit->limit));
    }
    CHECK(exit.ended_at.microseconds == *std::max_element(row.seconds.begin(), row.seconds.end()) * 1'000'000);
    CHECK(job_exit_from(to_json(exit)).ok());
  }
}

TEST_CASE("a worker that shows no pulse for long is dead, unless nobody looked", "[ranks]") {
  const auto at = [](int seconds) { return Pulse::Time(std::chrono::seconds(seconds)); };
  Pulse pulse(at(0));
  const auto look_until = [&](int from, int to, const char* text) {
    for (int second = from; second < to; ++second) {
      if (!pulse.is_felt(text, at(second))) return second;
    }
    return -1;
  };
  SECTION("one that never beats") {
    CHECK(look_until(0, 200, "") == 60);
    CHECK(pulse.felt_at() == at(0));
  }
  SECTION("one that stops") {
    for (int second = 0; second < 100; second += 3) CHECK(pulse.is_felt(std::to_string(second), at(second)));
    CHECK(look_until(100, 300, "99") == 159);
    CHECK(pulse.felt_at() == at(99));
  }
  SECTION("one that cannot be read for a moment") {
    CHECK(look_until(0, 50, "1") == -1);
    CHECK(look_until(50, 55, "") == -1);
    CHECK(look_until(55, 200, "1") == 60);
  }
  SECTION("one that beats again") {
    CHECK(look_until(0, 50, "1") == -1);
    CHECK(look_until(50, 109, "2") == -1);
  }
  SECTION("nobody looked for ten minutes") {
    CHECK(look_until(0, 50, "1") == -1);
    CHECK(look_until(650, 800, "1") == 710);
  }
}

TEST_CASE("the usage of a job is that of all its workers", "[ranks]") {
  const JobExit exit = combined_exit({end_of(0, '.', 1), end_of(1, 's', 2), end_of(2, 'l', 3), end_of(3, '.', 4)});
  CHECK(exit.user_us == 30);
  CHECK(exit.system_us == 3);
  CHECK(exit.read_bytes == 300);
  CHECK(exit.written_bytes == 3000);
  CHECK(exit.peak_bytes == 8);
  CHECK(exit.started_at == Instant{0});
  CHECK(exit.ended_at == Instant{4'000'000});
}

TEST_CASE("a verdict names the worker that failed, and none when nobody did", "[ranks]") {
  JobExit exit;
  exit.signal = SIGSEGV;
  exit.rank = JobRank{2, "n3"};
  CHECK_THAT(judge(exit, std::nullopt).message,
             Catch::StartsWith("rank 2 on host n3: the package's process was ended"));
  exit.signal.reset();
  exit.failure = "gone";
  exit.lost = true;
  CHECK((judge(exit, std::nullopt) == Outcome{RunReason::lost, "rank 2 on host n3: gone"}));
  JobExit stopped;
  stopped.code = 0;
  stopped.stop = StopCause::asked;
  stopped.rank = JobRank{0, "n1"};
  CHECK((judge(stopped, std::nullopt) == Outcome{RunReason::stopped, "stopped by a user"}));
  CHECK((judge(stopped, event::Ended{"ok", "", ""}) == Outcome{}));
}

TEST_CASE("each worker is told its place under the names of four houses", "[ranks]") {
  const WorkerMeeting meeting{{"n1", "n2", "n3"}, 29400, "/runs/1/rendezvous", DataSharding::by_file};
  const std::map<std::string, std::string> told = {{"TRAINYARD_RANK", "1"},
                                                   {"TRAINYARD_WORLD_SIZE", "3"},
                                                   {"TRAINYARD_HOSTS", "n1,n2,n3"},
                                                   {"TRAINYARD_RENDEZVOUS", "n1:29400"},
                                                   {"TRAINYARD_RENDEZVOUS_DIRECTORY", "/runs/1/rendezvous"},
                                                   {"TRAINYARD_DATA_SHARDING", "by-file"},
                                                   {"MASTER_ADDR", "n1"},
                                                   {"MASTER_PORT", "29400"},
                                                   {"RANK", "1"},
                                                   {"WORLD_SIZE", "3"},
                                                   {"LOCAL_RANK", "0"},
                                                   {"MA_NUM_HOSTS", "3"},
                                                   {"VC_TASK_INDEX", "1"},
                                                   {"VC_WORKER_HOSTS", "n1,n2,n3"},
                                                   {"SM_HOSTS", R"(["n1","n2","n3"])"},
                                                   {"SM_CURRENT_HOST", "n2"}};
  CHECK(rank_environment(1, meeting) == told);
  std::set<std::string> names;
  for (const auto& [name, value] : told) names.insert(name);
  CHECK(names == std::set<std::string>(kRankVariables.begin(), kRankVariables.end()));
  for (const std::string& name : names) {
    RunRequest request = example::request();
    request.environment[name] = "1";
    CHECK(example::plan_of(request).error().message ==
          "the variable " + name + " is set by Trainyard and cannot be given");
  }
}

TEST_CASE("workers on one machine have names of their own", "[ranks]") {
  CHECK(local_hosts(3) == std::vector<std::string>{"127.0.0.1", "127.0.0.2", "127.0.0.3"});
  const auto many = local_hosts(1024);
  CHECK(std::set<std::string>(many.begin(), many.end()).size() == 1024);
  CHECK(many.back() == "127.0.4.24");
}

TEST_CASE("all workers train, and rank 0 alone saves and evaluates", "[ranks]") {
  const auto job_of = [](RunType type, int rank) {
    RunPlan plan = example::plan(type);
    plan.request.placement.nodes = 2;
    Workspace workspace{"/w/package", "/w/home", "/w/checkpoints", {}, {}, {}, "/w/tmp", {}, rank, "/w/rendezvous"};
    return job_for(plan, workspace, std::nullopt);
  };
  const auto verbs = [](const JobSpec& job) {
    std::vector<Verb> all;
    for (const auto& call : job.calls) all.push_back(call.verb);
    return all;
  };
  CHECK((verbs(job_of(RunType::training, 0)) == std::vector{Verb::train, Verb::save}));
  CHECK((verbs(job_of(RunType::training, 1)) == std::vector{Verb::train}));
  CHECK((verbs(job_of(RunType::full, 0)) == std::vector{Verb::process_data, Verb::train, Verb::save, Verb::evaluate}));
  CHECK((verbs(job_of(RunType::full, 1)) == std::vector{Verb::process_data, Verb::train}));
  const JobSpec job = job_of(RunType::training, 1);
  CHECK(job.directories.at("rendezvous") == "/w/rendezvous");
  CHECK(job.sandbox.writable.back() == "/w/rendezvous");
  CHECK(job.placement.nodes == 2);
}

}  // namespace trainyard::ranks_test
