// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <memory>

#include "runner/executors/executor.hpp"
#include "tests/contract/test_job.hpp"

// What every executor must keep. Each function is one promise; they are run for every adapter. `make` gives a fresh
// executor of the same place, as a restarted program would have one.
namespace trainyard::executor_contract {

using Make = std::function<std::unique_ptr<Executor>()>;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::TestJob;

inline JobExit exit_in(const JobLook& look) {
  REQUIRE(std::holds_alternative<JobExit>(look));
  return std::get<JobExit>(look);
}

inline void runs_a_job_to_its_end(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("counts");
  const JobExit exit = job.exit_of(*executor);
  CHECK(exit.code == 0);
  CHECK(exit.stop == StopCause::none);
  CHECK(exit.started_at < exit.ended_at);
  CHECK(exit.peak_bytes > 1'000'000);
  CHECK(job.ended() == event::Ended{"ok", "", ""});
  CHECK(job.events_of<event::Measured>().size() == 3);
  CHECK(exists(job.artifacts() / "report.txt"));
}

inline void tells_running_from_ended_and_says_the_end_for_ever(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("slow");
  job.set("seconds", 0.3);
  const JobId id = job.start(*executor);
  CHECK(goes_on(test::must(executor->look(id, job.path()))));
  job.await_call("train");
  CHECK(std::holds_alternative<JobRunning>(test::must(executor->look(id, job.path()))));
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(exit.code == 0);
  CHECK(exit_in(test::must(executor->look(id, job.path()))) == exit);
  CHECK(exit_in(test::must(make()->look(id, job.path()))) == exit);
}

inline void finds_a_job_that_another_process_started(const Make& make) {
  TestJob job = TestJob::of_package("slow");
  job.set("seconds", 0.3);
  const JobId id = job.start(*make());
  job.await_call("train");
  const auto later = make();
  CHECK(test::must(later->recall(job.path())) == id);
  CHECK(std::holds_alternative<JobRunning>(test::must(later->look(id, job.path()))));
  CHECK(exit_in(test::finished(*later, id, job.path())).code == 0);
  CHECK(test::must(later->recall(job.path())) == id);
}

inline void recall_of_a_job_that_never_started_forbids_it(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("counts");
  CHECK(test::must(executor->recall(job.path())) == std::nullopt);
  CHECK(std::holds_alternative<JobLost>(job.run(*executor)));
  CHECK(test::must(executor->recall(job.path())) == std::nullopt);
  CHECK_FALSE(exists(job.folder().exit()));
  CHECK_FALSE(exists(job.folder().events()));
  CHECK_FALSE(exists(job.folder().stdout_log()));
}

inline void a_polite_stop_lets_the_package_say_so(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("slow");
  job.set("seconds", 30.0);
  const JobId id = job.start(*executor);
  job.await_call("train");
  test::must(executor->stop(id, job.path(), StopForce::polite));
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(exit.code == 0);
  CHECK(exit.stop == StopCause::asked);
  CHECK(job.ended().status == "cancelled");
  CHECK(job.ended().verb == "train");
}

inline void a_stop_counts_however_early_it_comes(const Make& make) {
  const int delay_us = GENERATE(0, 0, 0, 500, 1000, 1500, 2000, 3000, 4000, 5000, 7000, 10'000);
  INFO("after " << delay_us << " us");
  const auto executor = make();
  TestJob job = TestJob::of_package("slow");
  job.set("seconds", 30.0);
  const JobId id = job.start(*executor);
  static_cast<void>(::usleep(static_cast<useconds_t>(delay_us)));
  test::must(executor->stop(id, job.path(), StopForce::polite));
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(exit.stop == StopCause::asked);
  // Where jobs wait, it need not have begun.
  if (exit.failure) {
    CHECK_FALSE(exists(job.folder().events()));
    return;
  }
  CHECK(exit.code == 0);
  CHECK(job.ended().status == "cancelled");
}

inline void a_package_that_does_not_stop_is_killed_after_the_grace(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("hangs");
  job.spec.grace_ms = 300;
  const JobId id = job.start(*executor);
  job.await_call("train");
  const auto begin = steady_clock::now();
  test::must(executor->stop(id, job.path(), StopForce::polite));
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  const auto took = steady_clock::now() - begin;
  CHECK(took >= milliseconds(300));
  CHECK(took < milliseconds(5000));
  CHECK(exit.signal == SIGKILL);
  CHECK(exit.stop == StopCause::asked);
}

inline void a_stop_now_has_no_grace(const Make& make) {
  const bool asked_before = GENERATE(false, true);
  const auto executor = make();
  TestJob job = TestJob::of_package("hangs");
  job.spec.grace_ms = 60'000;
  const JobId id = job.start(*executor);
  job.await_call("train");
  if (asked_before) test::must(executor->stop(id, job.path(), StopForce::polite));
  test::must(executor->stop(id, job.path(), StopForce::now));
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(exit.signal == SIGKILL);
  CHECK(exit.stop == StopCause::asked);
}

inline void stopping_a_job_that_has_ended_is_fine(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("idle");
  const JobId id = job.start(*executor);
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(executor->stop(id, job.path(), StopForce::polite).ok());
  CHECK(executor->stop(id, job.path(), StopForce::now).ok());
  CHECK(exit_in(test::must(executor->look(id, job.path()))) == exit);
}

inline void the_longest_runtime_is_kept(const Make& make) {
  const auto executor = make();
  SECTION("by a package that listens") {
    TestJob job = TestJob::of_package("slow");
    job.set("seconds", 30.0);
    job.spec.max_runtime_ms = 200;
    const JobExit exit = job.exit_of(*executor);
    CHECK(exit.stop == StopCause::max_runtime);
    CHECK(exit.code == 0);
    CHECK(job.ended().status == "cancelled");
    CHECK(exit.ended_at.microseconds - exit.started_at.microseconds >= 200'000);
  }
  SECTION("by force") {
    TestJob job = TestJob::of_package("hangs");
    job.spec.max_runtime_ms = 200;
    job.spec.grace_ms = 100;
    const JobExit exit = job.exit_of(*executor);
    CHECK(exit.stop == StopCause::max_runtime);
    CHECK(exit.signal == SIGKILL);
    CHECK(exit.ended_at.microseconds - exit.started_at.microseconds >= 300'000);
  }
}

inline void an_id_of_another_place_is_refused(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("idle");
  const bool local = !executor->look({"slurm:17"}, job.path()).ok();
  for (const char* const text : {"", "local", "local:", "local:1", "local:1:2", "local:1:2:", "local:x:2:b",
                                 "local:-4:2:b", "slurm", "slurm:", "slurm:0", "slurm:x", "slurm:017", "slurm:17_",
                                 "slurm:17_x", "slurm:-17", local ? "slurm:17" : "local:1:2:b"}) {
    INFO(text);
    CHECK(executor->look({text}, job.path()).error().code == Errc::invalid);
    CHECK(executor->stop({text}, job.path(), StopForce::now).error().code == Errc::invalid);
  }
}

inline void a_job_over_its_memory_is_ended_with_the_figure([[maybe_unused]] const Make& make) {
#ifndef __SANITIZE_ADDRESS__  // whose operator new never throws, but ends the process
  const auto executor = make();
  TestJob job = TestJob::of_package("red_team");
  job.set("bomb", std::string("memory"));
  job.spec.limits.memory_bytes = std::int64_t{64} << 20;
  const JobExit exit = job.exit_of(*executor);
  REQUIRE(exit.limit);
  CHECK(exit.limit->limit == JobLimit::memory);
  CHECK(exit.limit->bound == std::int64_t{64} << 20);
  CHECK(outcome_of(*exit.limit).reason == RunReason::out_of_memory);
#endif
}

inline void secrets_reach_the_job_and_lie_readable_nowhere(const Make& make) {
  const auto executor = make();
  TestJob job = TestJob::of_package("leaks");
  job.spec.environment["way"] = "prints";
  job.spec.secrets = {"TOKEN"};
  const std::string value = "hunter2-is-no-secret";
  const JobId id = job.start(*executor, {{"TOKEN", value}});
  const JobExit exit = exit_in(test::finished(*executor, id, job.path()));
  CHECK(exit.code == 0);
  CHECK(test::content(job.folder().stdout_log()).find("first [secret TOKEN], then") != std::string::npos);
  for (const auto& entry : boost::filesystem::recursive_directory_iterator(job.path())) {
    INFO(entry.path());
    if (is_regular_file(entry.status())) CHECK(test::content(entry.path()).find(value) == std::string::npos);
  }
}

}  // namespace trainyard::executor_contract
