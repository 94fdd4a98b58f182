// SPDX-License-Identifier: Apache-2.0
// What the death of a node does to a job that has workers on several.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "runner/core/outcome.hpp"
#include "tests/contract/slurm_harm.hpp"

namespace trainyard::slurm_workers_test {

namespace {

using test::must;
using test::TestJob;

void check_lost(const JobExit& exit, int rank) {
  CHECK(exit.lost);
  CHECK(exit.rank.value_or(JobRank{}).number == rank);
  CHECK(judge(exit, std::nullopt).reason == RunReason::lost);
}

// As if the node of all workers but the first had lost its power: of those, srun knows nothing but the run's folder.
void kill_other_node(const TestJob& job) {
  std::vector<pid_t> doomed;
  for (const pid_t process : test::processes_with({"supervise-rank", job.path().string()})) {
    const std::string name = test::content("/proc/" + std::to_string(process) + "/comm");
    const bool on_other_node = test::command_line(process).ends_with(job.path().string() + '\0');
    if (on_other_node && !name.starts_with("srun")) doomed.push_back(process);
  }
  REQUIRE_FALSE(doomed.empty());
  for (const pid_t parent : std::vector<pid_t>{test::parent_of(doomed.front()), test::parent_of(doomed.back())}) {
    if (std::find(doomed.begin(), doomed.end(), parent) == doomed.end()) doomed.push_back(parent);
  }
  for (const pid_t process : doomed) REQUIRE(::kill(process, SIGSTOP) == 0);
  for (const pid_t process : doomed) REQUIRE(::kill(process, SIGKILL) == 0);
}

}  // namespace

TEST_CASE("slurm: a job with several workers is lost when the node of one dies", "[slurm][slow]") {
  test::HarmedCluster cluster(2);
  test::SlowJob job(300);
  job.spec.placement.executor = ExecutorKind::slurm;
  job.have_workers(2);
  const JobId id = job.start(cluster.executor());
  test::await([&] { return is_there(job.folder_of(1).pulse()); });
  job.await_call("train");
  kill_other_node(job);
  check_lost(test::ended(cluster.end_of(id, job)), 1);
  test::await([&] { return !test::any_alive(job); });
}

TEST_CASE("slurm: a job with several workers is lost when one fails because the node of another one died",
          "[slurm][slow]") {
  test::HarmedCluster cluster(2);
  TestJob job = TestJob::of_package("meets");
  job.set("patience", 60.0);
  job.set("culprit", std::int64_t{1});
  job.set("how", std::string("hangs"));
  job.spec.placement.executor = ExecutorKind::slurm;
  job.have_workers(2);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  test::await([&] { return test::content(job.folder_of(0).events()).find("own_rank") != std::string::npos; });
  test::await([&] { return is_there(job.folder_of(1).pulse()); });
  kill_other_node(job);
  const JobExit exit = test::ended(cluster.end_of(id, job));
  const JobExit first = must(job.folder_of(0).read_exit()).value_or(JobExit{});
  CHECK(first.code == 0);
  CHECK(first.stop == StopCause::none);
  CHECK(job.ended().status == "failed");
  check_lost(exit, 1);
  test::await([&] { return !test::any_alive(job); });
}

}  // namespace trainyard::slurm_workers_test
