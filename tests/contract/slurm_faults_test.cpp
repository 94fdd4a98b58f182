// SPDX-License-Identifier: Apache-2.0
// What a cluster does to jobs, done by a real one.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <thread>

#include "runner/core/slurm_job.hpp"
#include "tests/contract/slurm_harm.hpp"

namespace trainyard::slurm_faults_test {

namespace {

using std::chrono::milliseconds;
using test::any_alive;
using test::ended;
using test::lost;
using test::must;
using test::parent_of;
using test::processes_with;
using test::SlowJob;
using test::TestJob;
using Cluster = test::HarmedCluster;

pid_t supervisor_of(const TestJob& job) {
  const auto found = processes_with({"trainyard-worker", "supervise-in-slurm", job.path().string()});
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_CASE("slurm: a job that Slurm refuses is refused in Slurm's own words", "[slurm]") {
  Cluster cluster;
  TestJob job = TestJob::of_package("idle");
  SECTION("for its partition") {
    job.spec.placement.partition = "nope";
    must(publish_file(job.path(), job.folder().job(), readable(to_json(job.spec)), 0644, Durable::no));
    const auto started = cluster.executor().start(job.path(), {});
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().code == Errc::invalid);
    CHECK(started.error().message ==
          "sbatch says: invalid partition specified: nope; Batch job submission failed: Invalid partition name "
          "specified");
  }
  SECTION("for more memory than any node has") {
    job.spec.limits.memory_bytes = std::int64_t{1} << 40;
    must(publish_file(job.path(), job.folder().job(), readable(to_json(job.spec)), 0644, Durable::no));
    const auto started = cluster.executor().start(job.path(), {});
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().code == Errc::invalid);
    CHECK(started.error().message.find("Requested node configuration is not available") != std::string::npos);
  }
}

TEST_CASE("slurm: a machine without Slurm says what to install", "[slurm]") {
  SlurmSettings settings;
  settings.environment = {{"PATH", "/nowhere:/neither"}};
  SlurmExecutor executor(settings);
  TestJob job = TestJob::of_package("idle");
  must(publish_file(job.path(), job.folder().job(), readable(to_json(job.spec)), 0644, Durable::no));
  CHECK(executor.start(job.path(), {}).error().message ==
        "the program 'sbatch' is not in /nowhere:/neither; install Slurm's client programs (Debian: slurm-client), or "
        "run with --executor local");
}

TEST_CASE("slurm: a job that is cancelled while it waits never begins", "[slurm]") {
  Cluster cluster(1, {{"SLURM_CPUS_PER_NODE", "1"}});
  SlowJob first(30);
  SlowJob second(30);
  SlowJob third(30);
  const JobId running = first.start(cluster.executor());
  first.await_call("train");
  const JobId waiting = second.start(cluster.executor());
  const JobId behind = third.start(cluster.executor());
  CHECK(cluster.wait_of(waiting, second).find("0 before it") != std::string::npos);
  CHECK(cluster.wait_of(behind, third).find("1 before it") != std::string::npos);
  SECTION("by us") {
    must(cluster.executor().stop(waiting, second.path(), StopForce::polite));
    const JobExit exit = ended(cluster.end_of(waiting, second));
    CHECK(exit.stop == StopCause::asked);
    CHECK(judge(exit, std::nullopt).reason == RunReason::stopped);
    CHECK(cluster.make()->recall(second.path()).value() == std::nullopt);
  }
  SECTION("by somebody else") {
    cluster.slurm().ask("scancel", {waiting.text.substr(6)});
    const Outcome outcome = lost(cluster.end_of(waiting, second));
    CHECK(outcome.reason == RunReason::stopped);
    CHECK(outcome.message.find("CANCELLED") != std::string::npos);
  }
  CHECK_FALSE(exists(second.folder().events()));
  must(cluster.executor().stop(running, first.path(), StopForce::now));
  must(cluster.executor().stop(behind, third.path(), StopForce::now));
  CHECK(ended(cluster.end_of(running, first)).stop == StopCause::asked);
}

TEST_CASE("slurm: a job that somebody cancels while it runs says so", "[slurm]") {
  Cluster cluster;
  SlowJob job(30);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  cluster.slurm().ask("scancel", {id.text.substr(6)});
  const JobExit exit = ended(cluster.end_of(id, job));
  CHECK(exit.stop == StopCause::scheduler);
  const Outcome outcome = judge(exit, job.ended());
  CHECK(outcome.reason == RunReason::stopped);
  INFO(outcome.message);
  CHECK(outcome.message.find("CANCELLED AT") != std::string::npos);
}

TEST_CASE("slurm: a job that takes no notice of being cancelled is lost, for the reason that Slurm gives", "[slurm]") {
  Cluster cluster(1, {{"SLURM_EXTRA", "KillWait=1"}});
  TestJob job = TestJob::of_package("hangs");
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  cluster.slurm().ask("scancel", {id.text.substr(6)});
  const JobLook look = cluster.end_of(id, job);
  const Outcome outcome = lost(look);
  INFO(outcome.message);
  CHECK(outcome.reason == RunReason::stopped);
  test::await([&] { return !any_alive(job); });
}

TEST_CASE("slurm: Slurm's own limit of time is told as such", "[slurm][slow]") {
  Cluster cluster;
  SlowJob job(300);
  // Below what the run asks for, which a partition or an administrator may decide.
  job.spec.placement.arguments = {"--time=1"};
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  const JobExit exit = ended(cluster.end_of(id, job));
  CHECK(exit.stop == StopCause::scheduler);
  const Outcome outcome = judge(exit, job.ended());
  INFO(outcome.message);
  CHECK(outcome.reason == RunReason::max_runtime);
}

TEST_CASE("slurm: a job goes on while the controller is away, and is found when it is back", "[slurm]") {
  Cluster cluster(1, {{"SLURM_EXTRA", "MessageTimeout=2"}});
  SlowJob job(60);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  cluster.slurm().controller("stop");
  CHECK(std::holds_alternative<JobRunning>(must(cluster.make()->look(id, job.path()))));
  SECTION("and ends meanwhile") {
    REQUIRE(::kill(supervisor_of(job), SIGUSR1) == 0);
    CHECK(ended(cluster.end_of(id, job)).stop == StopCause::asked);
    CHECK(ended(must(cluster.make()->look(id, job.path()))).stop == StopCause::asked);
    cluster.slurm().controller("start");
  }
  SECTION("and goes on after it") {
    cluster.slurm().controller("start");
    CHECK(std::holds_alternative<JobRunning>(must(cluster.make()->look(id, job.path()))));
    CHECK(must(cluster.make()->recall(job.path())) == id);
    must(cluster.make()->stop(id, job.path(), StopForce::polite));
    const JobExit exit = ended(cluster.end_of(id, job));
    CHECK(exit.stop == StopCause::asked);
    CHECK(exit.code == 0);
  }
}

TEST_CASE("slurm: what cannot be told to a controller that is away may be told later", "[slurm]") {
  Cluster cluster(1, {{"SLURM_EXTRA", "MessageTimeout=2"}});
  SlowJob running(60);
  const JobId id = running.start(cluster.executor());
  running.await_call("train");
  cluster.slurm().controller("stop");
  const auto stopped = cluster.executor().stop(id, running.path(), StopForce::polite);
  REQUIRE_FALSE(stopped.ok());
  INFO(stopped.error().message);
  CHECK(stopped.error().code == Errc::unavailable);
  CHECK(cluster.executor().recall(running.path()).value() == id);
  TestJob unknown = TestJob::of_package("idle");
  CHECK(cluster.executor().recall(unknown.path()).error().code == Errc::unavailable);
  cluster.slurm().controller("start");
  must(cluster.executor().stop(id, running.path(), StopForce::polite));
  CHECK(ended(cluster.end_of(id, running)).stop == StopCause::asked);
}

TEST_CASE("slurm: a full queue is a matter of time", "[slurm]") {
  Cluster cluster(1, {{"SLURM_EXTRA", "MaxJobCount=2\nMinJobAge=2"}, {"SLURM_CPUS_PER_NODE", "1"}});
  SlowJob first(60);
  const JobId running = first.start(cluster.executor());
  first.await_call("train");
  SlowJob second(0.1);
  must(publish_file(second.path(), second.folder().job(), readable(to_json(second.spec)), 0644, Durable::no));
  const auto refused = cluster.executor().start(second.path(), {});
  REQUIRE_FALSE(refused.ok());
  INFO(refused.error().message);
  CHECK(refused.error().code == Errc::unavailable);
  must(cluster.executor().stop(running, first.path(), StopForce::now));
  std::optional<JobId> id;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(100);
  while (!id && std::chrono::steady_clock::now() < deadline) {
    const auto started = cluster.executor().start(second.path(), {});
    if (!started.ok()) REQUIRE(started.error().code == Errc::unavailable);
    if (started.ok()) id = *started;
  }
  REQUIRE(id);
  CHECK(ended(cluster.end_of(*id, second)).code == 0);
}

TEST_CASE("slurm: a start that was heard and not answered is not made twice", "[slurm]") {
  Cluster cluster;
  SlowJob job(0.5);
  const JobId id = job.start(cluster.executor());
  CHECK(must(cluster.make()->start(job.path(), {})) == id);
  CHECK(ended(cluster.end_of(id, job)).code == 0);
  CHECK(must(cluster.make()->start(job.path(), {})) == id);
}

TEST_CASE("slurm: when slurmstepd is killed the job ends with it, and says so", "[slurm]") {
  Cluster cluster;
  const char* const package = GENERATE("slow", "hangs");
  TestJob job = TestJob::of_package(package);
  if (std::string(package) == "slow") job.set("seconds", 60.0);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  REQUIRE(::kill(parent_of(supervisor_of(job)), SIGKILL) == 0);
  const JobExit exit = ended(cluster.end_of(id, job));
  CHECK(exit.stop == StopCause::scheduler);
  const Outcome outcome = judge(exit, std::nullopt);
  CHECK(outcome.reason == RunReason::lost);
  CHECK(may_be_retried(outcome));
  CHECK(outcome.message == "the cluster ended the job: slurmstepd, which held the job, is gone");
  test::await([&] { return !any_alive(job); });
}

TEST_CASE("slurm: a job whose node dies is lost", "[slurm][slow]") {
  Cluster cluster(2, {{"SLURM_NODE_TIMEOUT", "3"}});
  SlowJob job(120);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  const std::string node = must(SlurmClaim::parse(*must(job.folder().read_claim()))).node;
  const pid_t supervisor = supervisor_of(job);
  const pid_t holder = parent_of(supervisor);
  cluster.slurm().node(node, "stop");
  // All at once, as a power cut has it: the supervisor does not learn of it.
  for (const pid_t process : {supervisor, holder}) REQUIRE(::kill(process, SIGSTOP) == 0);
  for (const pid_t process : processes_with({"trainyard-worker", job.path().string()})) ::kill(process, SIGKILL);
  REQUIRE(::kill(holder, SIGKILL) == 0);
  const Outcome outcome = lost(cluster.end_of(id, job));
  INFO(outcome.message);
  CHECK(outcome.reason == RunReason::lost);
  CHECK(may_be_retried(outcome));
  CHECK(cluster.executor().stop(id, job.path(), StopForce::now).ok());
  cluster.slurm().node(node, "start");
}

TEST_CASE("slurm: a job that Slurm begins a second time does nothing, whether or not the first still lives",
          "[slurm]") {
  Cluster cluster;
  SlowJob job(6);
  const JobId id = job.start(cluster.executor());
  job.await_call("train");
  const std::string number = id.text.substr(6);
  const pid_t supervisor = supervisor_of(job);
  const bool first_lives = GENERATE(true, false);
  INFO("the first lives: " << first_lives);
  if (first_lives) {
    // A node that nobody reaches any more: its processes go on, and know of nothing.
    REQUIRE(::kill(parent_of(supervisor), SIGSTOP) == 0);
  }
  cluster.slurm().ask("scontrol", {"update", "JobId=" + number, "Requeue=1"});
  cluster.slurm().ask("scontrol", {"requeue", number});
  if (first_lives) {
    // It ends as if nobody had wanted anything of it.
    CHECK(ended(cluster.end_of(id, job)).code == 0);
    const pid_t holder = parent_of(supervisor);
    if (holder > 1) ::kill(holder, SIGCONT);
  } else {
    const JobExit exit = ended(cluster.end_of(id, job));
    CHECK(exit.stop == StopCause::scheduler);
  }
  bool told = false;
  test::await([&] {
    const std::string state =
        cluster.slurm().ask("squeue", {"--noheader", "--states=all", "--format=%T", "--jobs=" + number});
    // It would wait for two minutes. What is said while it is being ended is refused.
    if (!told && state.find("PENDING") != std::string::npos) {
      const auto update = run_program({"/usr/bin/scontrol", "update", "JobId=" + number, "StartTime=now"},
                                      cluster.slurm().environment(), "/", "", std::chrono::seconds(20));
      told = update.ok() && update->status.code == 0;
    }
    return state.find("COMPLETED") != std::string::npos || state.find("CANCELLED") != std::string::npos;
  });
  const auto begun = job.events_of<event::Called>();
  CHECK(std::count_if(begun.begin(), begun.end(), [](const auto& called) { return called.verb == "train"; }) == 1);
  const auto claim = must(SlurmClaim::parse(*must(job.folder().read_claim())));
  CHECK(claim.restart == 0);
  must(cluster.executor().stop(id, job.path(), StopForce::now));
}

TEST_CASE("slurm: a job that Slurm kills for its memory says so", "[slurm]") {
#ifndef __SANITIZE_ADDRESS__
  Cluster cluster(1, {{"SLURM_EXTRA", "JobAcctGatherParams=OverMemoryKill"}});
  TestJob job = TestJob::of_package("red_team");
  job.set("bomb", std::string("memory"));
  job.spec.placement.arguments = {"--mem=100M"};
  const JobId id = job.start(cluster.executor());
  const JobLook look = cluster.end_of(id, job);
  const Outcome outcome =
      std::holds_alternative<JobExit>(look) ? judge(std::get<JobExit>(look), std::nullopt) : lost(look);
  INFO(outcome.message);
  CHECK(outcome.reason == RunReason::out_of_memory);
#endif
}

TEST_CASE("slurm: jobs that are started together and are alike are one array", "[slurm]") {
  Cluster cluster;
  SlurmSettings settings = test::impatient(cluster.slurm(), cluster.folder());
  settings.gathering = milliseconds(300);
  SlurmExecutor executor(settings);
  std::deque<SlowJob> jobs;
  for (int i = 0; i < 6; ++i) {
    jobs.emplace_back(i == 5 ? 30 : 0.3);
    if (i == 4) jobs.back().spec.limits.log_bytes = std::int64_t{1} << 30;
  }
  std::vector<JobId> ids(jobs.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < jobs.size(); ++i) threads.emplace_back([&, i] { ids[i] = jobs[i].start(executor); });
  }
  std::map<std::uint64_t, int> arrays;
  for (const JobId& id : ids) ++arrays[SlurmJobId::parse(id)->number];
  CHECK(arrays.size() == 2);
  CHECK(std::any_of(arrays.begin(), arrays.end(), [](const auto& array) { return array.second == 5; }));
  CHECK_FALSE(SlurmJobId::parse(ids[4])->index);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    INFO(ids[i].text);
    CHECK(must(cluster.make()->recall(jobs[i].path())) == ids[i]);
    CHECK(must(executor.start(jobs[i].path(), {})) == ids[i]);
  }
  for (std::size_t i = 0; i < 5; ++i) CHECK(ended(cluster.end_of(ids[i], jobs[i])).code == 0);
  jobs[5].await_call("train");
  must(cluster.make()->stop(ids[5], jobs[5].path(), StopForce::polite));
  CHECK(ended(cluster.end_of(ids[5], jobs[5])).stop == StopCause::asked);
}

TEST_CASE("slurm: all jobs of a store are looked for by one question", "[slurm]") {
  Cluster cluster;
  std::deque<SlowJob> jobs;
  std::vector<std::pair<JobId, const TestJob*>> started;
  for (int i = 0; i < 4; ++i) {
    jobs.emplace_back(1);
    started.emplace_back(jobs.back().start(cluster.executor()), &jobs.back());
  }
  // A squeue that counts how often it is asked for jobs that are not over.
  const TempFolder counting;
  const Path asked = counting.write("asked", "");
  const Path squeue =
      counting.write("squeue", "#!/bin/sh\necho >> " + asked.string() + "\nexec /usr/bin/squeue \"$@\"\n");
  boost::filesystem::permissions(squeue, boost::filesystem::owner_all);
  SlurmSettings settings = test::impatient(cluster.slurm(), cluster.folder());
  settings.between_looks = std::chrono::hours(1);
  settings.environment["PATH"] = counting.path().string() + ":" + settings.environment["PATH"];
  settings.folder = counting.folder("shared");
  const std::unique_ptr<SlurmExecutor> processes[] = {std::make_unique<SlurmExecutor>(settings),
                                                      std::make_unique<SlurmExecutor>(settings)};
  for (int round = 0; round < 3; ++round) {
    for (const auto& process : processes) {
      for (const auto& [id, job] : started) static_cast<void>(must(process->look(id, job->path())));
    }
  }
  // Once for those that run, and once for the places of those that wait.
  CHECK(test::content(asked).size() <= 2);
  CHECK_FALSE(test::content(asked).empty());
  for (const auto& [id, job] : started) CHECK(ended(cluster.end_of(id, *job)).code == 0);
}

}  // namespace trainyard::slurm_faults_test
