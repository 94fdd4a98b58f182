// SPDX-License-Identifier: Apache-2.0
// After a run nothing that it started is alive, whatever the layers, whatever it started, and however it ended.
#include <fcntl.h>
#include <sys/file.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "runner/executors/isolation_facts.hpp"
#include "runner/executors/local_executor.hpp"
#include "runner/processes/process_identity.hpp"
#include "tests/contract/test_job.hpp"

using namespace trainyard;
using test::TestJob;

namespace {

struct Layers {
  std::string name;
  IsolationWish wish;
};

const std::vector<Layers>& combinations() {
  constexpr auto kBest = IsolationMode::best_effort;
  constexpr auto kNetwork = NetworkAccess::none;
  static const std::vector<Layers> all = {
      {"all", {kBest, kNetwork, {}}},
      {"no control groups", {kBest, kNetwork, {Layer::cgroup}}},
      {"no process namespace", {kBest, kNetwork, {Layer::pid}}},
      {"no process namespace and no control groups", {kBest, kNetwork, {Layer::pid, Layer::cgroup}}},
      {"no namespaces", {kBest, kNetwork, {Layer::user, Layer::mount, Layer::pid, Layer::ipc, Layer::network}}},
      {"rules on files and calls alone",
       {kBest, kNetwork, {Layer::user, Layer::mount, Layer::pid, Layer::ipc, Layer::network, Layer::cgroup}}},
      {"none", {IsolationMode::none, NetworkAccess::host, {}}},
  };
  return all;
}

// Everything that the package starts holds a lock of this file, shared. Without the file it came to start nothing.
bool all_gone(const TestJob& job) {
  if (!is_there(job.artifacts() / "alive")) return true;
  const auto file = open_file(job.artifacts() / "alive", O_RDWR);
  return file.ok() && ::flock(file->get(), LOCK_EX | LOCK_NB) == 0;
}

void let_linger(TestJob& job, const std::string& what, const std::string& end, const Layers& layers) {
  job.set("what", what);
  job.set("end", end);
  job.isolate(layers.wish);
  job.spec.grace_ms = 200;
}

LocalExecutor local() { return LocalExecutor(TRAINYARD_WORKER_PROGRAM); }

}  // namespace

TEST_CASE("nothing that a package started is left when it ends") {
  LocalExecutor executor = local();
  for (const Layers& layers : combinations()) {
    for (const char* const what : {"daemon", "deaf", "stopped", "tree", "hopper", "storm"}) {
      for (const char* const end : {"returns", "crashes"}) {
        INFO(layers.name << ", " << what << ", " << end);
        TestJob job = TestJob::of_package("lingers");
        let_linger(job, what, end, layers);
        const JobExit exit = job.exit_of(executor);
        CHECK(is_there(job.artifacts() / "alive"));
        CHECK(all_gone(job));
        CHECK(exit.limit == std::nullopt);
        if (end == std::string("returns")) CHECK(exit.code == 0);
        if (end == std::string("crashes")) CHECK(exit.signal == SIGKILL);
      }
    }
  }
}

TEST_CASE("nothing that a package started is left when it is stopped or out of time") {
  LocalExecutor executor = local();
  for (const Layers& layers : combinations()) {
    for (const char* const what : {"daemon", "tree", "storm"}) {
      INFO(layers.name << ", " << what);
      TestJob late = TestJob::of_package("lingers");
      let_linger(late, what, "hangs", layers);
      late.spec.max_runtime_ms = 300;
      const JobExit exit = late.exit_of(executor);
      CHECK(exit.stop == StopCause::max_runtime);
      CHECK(all_gone(late));

      TestJob stopped = TestJob::of_package("lingers");
      let_linger(stopped, what, "hangs", layers);
      const JobId id = stopped.start(executor);
      test::await([&] { return is_there(stopped.artifacts() / "alive"); });
      test::must(executor.stop(id, stopped.path(), StopForce::now));
      CHECK(std::holds_alternative<JobExit>(test::finished(executor, id, stopped.path())));
      CHECK(all_gone(stopped));
    }
  }
}

TEST_CASE("nothing is left of several workers when one of them is killed with its supervisor, or the one above all") {
  LocalExecutor executor = local();
  const TempFolder scratch;
  const IsolationFacts facts = test::must(probe_isolation(TRAINYARD_WORKER_PROGRAM, scratch.path()));
  for (const Layers& layers : combinations()) {
    const auto plan = plan_isolation(layers.wish, facts);
    REQUIRE(plan.ok());
    if (!plan->has(Layer::pid) && !plan->has(Layer::cgroup)) continue;
    for (const bool above_all : {false, true}) {
      INFO(layers.name << ", " << (above_all ? "above all" : "of one"));
      TestJob job = TestJob::of_package("lingers");
      let_linger(job, "daemon", "hangs", layers);
      job.have_workers(3);
      const auto alive_of = [&](int rank) {
        return (rank == 0 ? job.artifacts()
                          : Path(job.others.at(static_cast<std::size_t>(rank) - 1).directories.at("artifacts"))) /
               "alive";
      };
      const auto gone = [&](int rank) {
        const auto file = open_file(alive_of(rank), O_RDWR);
        return file.ok() && ::flock(file->get(), LOCK_EX | LOCK_NB) == 0;
      };
      const JobId id = job.start(executor);
      for (int rank = 0; rank < 3; ++rank) test::await([&] { return is_there(alive_of(rank)); });
      std::string victim = above_all ? id.text : test::content(job.folder_of(2).claim());
      if (victim.ends_with('\n')) victim.pop_back();
      REQUIRE(::kill(test::must(ProcessIdentity::parse(victim)).pid, SIGKILL) == 0);
      const JobLook look = test::finished(executor, id, job.path());
      CHECK(std::holds_alternative<JobLost>(look) == above_all);
      if (above_all) test::must(executor.stop(id, job.path(), StopForce::now));
      if (const auto* const exit = std::get_if<JobExit>(&look)) {
        CHECK(exit->lost);
        CHECK((exit->rank == JobRank{2, "127.0.0.3"}));
      }
      for (int rank = 0; rank < 3; ++rank) {
        INFO("rank " << rank);
        test::await([&] { return gone(rank); });
        CHECK_FALSE(is_there(job.folder_of(rank).channel()));
        CHECK_FALSE(is_there(job.folder_of(rank).cgroups()));
      }
    }
  }
}

TEST_CASE("nothing that a package started is left when its supervisor is killed and the job is found lost") {
  LocalExecutor executor = local();
  const TempFolder scratch;
  const IsolationFacts facts = test::must(probe_isolation(TRAINYARD_WORKER_PROGRAM, scratch.path()));
  for (const Layers& layers : combinations()) {
    // Without either, what has left the session of the supervisor cannot be found again; docs/security.md says so.
    const auto plan = plan_isolation(layers.wish, facts);
    REQUIRE(plan.ok());
    if (!plan->has(Layer::pid) && !plan->has(Layer::cgroup)) continue;
    for (const char* const what : {"daemon", "tree", "storm"}) {
      INFO(layers.name << ", " << what);
      TestJob job = TestJob::of_package("lingers");
      let_linger(job, what, "hangs", layers);
      const JobId id = job.start(executor);
      test::await([&] { return is_there(job.artifacts() / "alive"); });
      static_cast<void>(::usleep(150'000));
      const auto supervisor = test::must(ProcessIdentity::parse(id.text));
      REQUIRE(::kill(supervisor.pid, SIGKILL) == 0);
      CHECK(std::holds_alternative<JobLost>(test::finished(executor, id, job.path())));
      test::must(executor.stop(id, job.path(), StopForce::now));
      // The kernel takes a moment to end a whole namespace.
      test::await([&] { return all_gone(job); });
      CHECK_FALSE(is_there(job.folder().channel()));
      CHECK_FALSE(is_there(job.folder().cgroups()));
    }
  }
}
