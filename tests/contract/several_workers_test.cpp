// SPDX-License-Identifier: Apache-2.0
// A job with several workers ends as one: it tells the end of the worker that decided, and leaves nobody behind.
#include <catch2/catch.hpp>
#include <csignal>

#include "runner/executors/local_executor.hpp"
#include "runner/processes/process_identity.hpp"
#include "tests/contract/slurm_settings.hpp"
#include "tests/contract/test_job.hpp"

using namespace trainyard;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::TestJob;

namespace {

constexpr int kWorkers = 3;

std::string library_of(const std::string& package) {
  return std::string(TRAINYARD_TEST_PACKAGES_DIR) + "/" + package + "/lib" + package + ".so";
}

// A job whose workers never end by themselves.
struct HangingJob : TestJob {
  HangingJob() : TestJob(library_of("hangs")) {
    spec.grace_ms = 500;
    have_workers(kWorkers);
  }
};

LocalExecutor local_workers() { return LocalExecutor(TRAINYARD_WORKER_PROGRAM); }

JobExit end_of(Executor& executor, const JobId& id, const TestJob& job) {
  return std::get<JobExit>(test::finished(executor, id, job.path()));
}

void await_all(const TestJob& job) {
  for (int rank = 0; rank < kWorkers; ++rank) {
    test::await([&] {
      const auto events = read_file(job.folder_of(rank).events(), 1 << 20);
      return events.ok() && events->find("\"train\"") != std::string::npos;
    });
  }
}

bool supervisors_are_gone(const TestJob& job) {
  for (int rank = 0; rank < kWorkers; ++rank) {
    std::string claim = test::content(job.folder_of(rank).claim());
    if (claim.ends_with('\n')) claim.pop_back();
    if (is_running(test::must(ProcessIdentity::parse(claim)))) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("several workers: all of them run, and the job ends when the last one has", "[executor]") {
  LocalExecutor executor = local_workers();
  TestJob job = TestJob::of_package("slow");
  job.set("seconds", 0.05);
  job.have_workers(kWorkers);
  job.others.back().parameters.back().value = 0.6;
  const auto begin = steady_clock::now();
  const JobExit exit = job.exit_of(executor);
  CHECK(steady_clock::now() - begin >= milliseconds(600));
  CHECK(exit.code == 0);
  CHECK(exit.stop == StopCause::none);
  CHECK((exit.rank == JobRank{0, "127.0.0.1"}));
  std::int64_t processors = 0;
  for (int rank = 0; rank < kWorkers; ++rank) {
    INFO("rank " << rank);
    const auto own = test::must(job.folder_of(rank).read_exit());
    REQUIRE(own);
    CHECK(own->code == 0);
    CHECK((own->rank == JobRank{rank, "127.0.0." + std::to_string(rank + 1)}));
    CHECK(exists(job.folder_of(rank).stdout_log()));
    CHECK(exit.peak_bytes >= own->peak_bytes);
    CHECK(exit.ended_at >= own->ended_at);
    processors += own->user_us + own->system_us;
  }
  CHECK(exit.user_us + exit.system_us == processors);
  CHECK(job.ended() == event::Ended{"ok", "", ""});
  CHECK(supervisors_are_gone(job));
}

TEST_CASE("several workers: the first that fails stops the others, and its end is that of the job", "[executor]") {
  const int culprit = GENERATE(0, 1, 2);
  const std::string how = GENERATE(std::string("segfaults"), std::string("throws_in_train"), std::string("exits_zero"));
  INFO(how << " in rank " << culprit);
  LocalExecutor executor = local_workers();
  HangingJob job;
  (culprit == 0 ? job.spec : job.others.at(static_cast<std::size_t>(culprit) - 1)).library = library_of(how);
  const auto begin = steady_clock::now();
  const JobExit exit = job.exit_of(executor);
  CHECK(steady_clock::now() - begin < milliseconds(15'000));
  CHECK(exit.rank.value_or(JobRank{}).number == culprit);
  CHECK(exit.stop == StopCause::none);
  if (how == "segfaults") CHECK(exit.signal == SIGSEGV);
  if (how == "throws_in_train") CHECK(exit.code == 0);
  for (int rank = 0; rank < kWorkers; ++rank) {
    const auto own = test::must(job.folder_of(rank).read_exit());
    REQUIRE(own);
    if (rank != culprit) CHECK(own->stop == StopCause::asked);
  }
  CHECK(supervisors_are_gone(job));
}

TEST_CASE("several workers: a stop reaches all of them", "[executor]") {
  LocalExecutor executor = local_workers();
  SECTION("politely") {
    TestJob job = TestJob::of_package("slow");
    job.set("seconds", 60.0);
    job.have_workers(kWorkers);
    const JobId id = job.start(executor);
    await_all(job);
    test::must(executor.stop(id, job.path(), StopForce::polite));
    const JobExit exit = end_of(executor, id, job);
    CHECK(exit.stop == StopCause::asked);
    for (int rank = 0; rank < kWorkers; ++rank) {
      const auto own = test::must(job.folder_of(rank).read_exit());
      REQUIRE(own);
      CHECK(own->code == 0);
      CHECK(own->stop == StopCause::asked);
    }
    CHECK(supervisors_are_gone(job));
  }
  SECTION("at once") {
    HangingJob job;
    for (JobSpec* spec : {&job.spec, &job.others[0], &job.others[1]}) spec->grace_ms = 60'000;
    const JobId id = job.start(executor);
    await_all(job);
    test::must(executor.stop(id, job.path(), StopForce::polite));
    test::must(executor.stop(id, job.path(), StopForce::now));
    const JobExit exit = end_of(executor, id, job);
    CHECK(exit.signal == SIGKILL);
    CHECK(exit.stop == StopCause::asked);
    CHECK(supervisors_are_gone(job));
  }
  SECTION("for want of time") {
    TestJob job = TestJob::of_package("slow");
    job.set("seconds", 60.0);
    job.spec.max_runtime_ms = 300;
    job.have_workers(kWorkers);
    const JobExit exit = job.exit_of(executor);
    CHECK(exit.stop == StopCause::max_runtime);
    CHECK(supervisors_are_gone(job));
  }
}

TEST_CASE("several workers: one whose supervisor is gone has failed", "[executor]") {
  LocalExecutor executor = local_workers();
  HangingJob job;
  const JobId id = job.start(executor);
  await_all(job);
  std::string claim = test::content(job.folder_of(1).claim());
  claim.pop_back();
  REQUIRE(::kill(test::must(ProcessIdentity::parse(claim)).pid, SIGKILL) == 0);
  const JobExit exit = end_of(executor, id, job);
  CHECK(exit.lost);
  CHECK(exit.failure == "the process that supervised it is gone and left no word about its end");
  CHECK((exit.rank == JobRank{1, "127.0.0.2"}));
  CHECK(supervisors_are_gone(job));
}

TEST_CASE("several workers: none outlives the process above them", "[executor]") {
  LocalExecutor executor = local_workers();
  HangingJob job;
  const JobId id = job.start(executor);
  await_all(job);
  REQUIRE(::kill(test::must(ProcessIdentity::parse(id.text)).pid, SIGKILL) == 0);
  // Before anybody looks.
  test::await([&] { return supervisors_are_gone(job); });
  for (int rank = 0; rank < kWorkers; ++rank) {
    const auto own = test::must(job.folder_of(rank).read_exit());
    REQUIRE(own);
    CHECK(own->signal == SIGKILL);
  }
  CHECK(std::holds_alternative<JobLost>(test::finished(executor, id, job.path())));
}

TEST_CASE("several workers: one that cannot begin ends the job", "[executor]") {
  LocalExecutor executor = local_workers();
  HangingJob job;
  job.others.back().working_directory = "/nowhere";
  const JobExit exit = job.exit_of(executor);
  CHECK(exit.rank.value_or(JobRank{}).number == 2);
  CHECK(exit.failure == "the working directory '/nowhere' is not a folder");
  CHECK(supervisors_are_gone(job));
}

TEST_CASE("several workers: on the nodes of a cluster it is no different", "[executor]") {
  // All of its nodes have one address.
  const SlurmCluster cluster(kWorkers);
  const TempFolder folder;
  SlurmExecutor executor(test::impatient(cluster, folder.path()));
  const auto in_cluster = [](TestJob& job) {
    job.spec.placement.executor = ExecutorKind::slurm;
    for (JobSpec& other : job.others) other.placement.executor = ExecutorKind::slurm;
  };
  {
    INFO("all end well, and know a secret");
    TestJob job = TestJob::of_package("slow");
    job.set("seconds", 0.1);
    job.spec.secrets = {"TOKEN"};
    job.have_workers(kWorkers);
    in_cluster(job);
    const JobId id = job.start(executor, {{"TOKEN", "not to be told"}});
    const JobExit exit = end_of(executor, id, job);
    CHECK(exit.code == 0);
    CHECK((exit.rank == JobRank{0, "127.0.0.1"}));
    for (int rank = 0; rank < kWorkers; ++rank) {
      const auto own = test::must(job.folder_of(rank).read_exit());
      REQUIRE(own);
      CHECK(own->code == 0);
      CHECK(own->failure == std::nullopt);
      CHECK((own->rank == JobRank{rank, "127.0.0.1"}));
    }
    CHECK(supervisors_are_gone(job));
  }
  {
    INFO("one crashes");
    HangingJob job;
    in_cluster(job);
    job.others.front().library = library_of("segfaults");
    const JobId id = job.start(executor, {});
    const JobExit exit = end_of(executor, id, job);
    CHECK(exit.signal == SIGSEGV);
    CHECK((exit.rank == JobRank{1, "127.0.0.1"}));
    CHECK(supervisors_are_gone(job));
  }
  for (const StopForce force : {StopForce::polite, StopForce::now}) {
    INFO("stopped " << (force == StopForce::polite ? "politely" : "at once"));
    TestJob job = TestJob::of_package(force == StopForce::polite ? "slow" : "hangs");
    if (force == StopForce::polite) job.set("seconds", 60.0);
    job.have_workers(kWorkers);
    in_cluster(job);
    const JobId id = job.start(executor, {});
    await_all(job);
    test::must(executor.stop(id, job.path(), force));
    const JobExit exit = end_of(executor, id, job);
    CHECK(exit.stop == StopCause::asked);
    for (int rank = 0; rank < kWorkers; ++rank) {
      const auto own = test::must(job.folder_of(rank).read_exit());
      REQUIRE(own);
      CHECK(own->stop == StopCause::asked);
      if (force == StopForce::polite) CHECK(own->code == 0);
    }
    CHECK(supervisors_are_gone(job));
  }
}
