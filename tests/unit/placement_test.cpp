// SPDX-License-Identifier: Apache-2.0
#include "runner/core/placement.hpp"

#include <catch2/catch.hpp>

#include "runner/core/run_request.hpp"

namespace trainyard::placement_test {

namespace {

RunRequest request() { return RunRequest::of(RunType::training, *PackageReference::parse("digits"), "/data"); }

ResourcePlan large() {
  ResourcePlan plan;
  plan.executor = ExecutorKind::slurm;
  plan.cpu_thousandths = 8000;
  plan.memory_bytes = std::int64_t{32} << 30;
  plan.gpus = 2;
  plan.nodes = 4;
  plan.partition = "gpu";
  plan.time_ms = 3'600'000;
  plan.arguments = {"--account=vision"};
  return plan;
}

const std::map<std::string, ResourcePlan>& plans() {
  static const std::map<std::string, ResourcePlan> all = {{"train.l", large()}};
  return all;
}

}  // namespace

TEST_CASE("a run that says nothing runs on this machine with one worker", "[unit]") {
  RunRequest run = request();
  REQUIRE(resolve_placement(run, std::nullopt, {}).ok());
  CHECK(run.placement.executor == ExecutorKind::local);
  CHECK(run.placement.nodes == 1);
  CHECK_FALSE(runs_in_slurm(run));
  CHECK(workers_of(run) == 1);
  CHECK(run.isolation.network == NetworkAccess::none);
}

TEST_CASE("what the store's users decided counts where neither the run nor its plan says where", "[unit]") {
  const auto executor_of = [](std::optional<ExecutorKind> own, bool planned) {
    RunRequest run = request();
    run.placement.executor = own;
    if (planned) run.placement.plan = "train.l";
    REQUIRE(resolve_placement(run, ExecutorKind::local, plans()).ok());
    return *run.placement.executor;
  };
  CHECK(executor_of(std::nullopt, false) == ExecutorKind::local);
  CHECK(executor_of(std::nullopt, true) == ExecutorKind::slurm);
  CHECK(executor_of(ExecutorKind::slurm, false) == ExecutorKind::slurm);
  CHECK(executor_of(ExecutorKind::local, true) == ExecutorKind::local);
}

TEST_CASE("a plan fills in what the run leaves open", "[unit]") {
  RunRequest run = request();
  run.placement.plan = "train.l";
  run.placement.nodes = 2;
  run.placement.arguments = {"--qos=long"};
  run.max_runtime_ms = 5000;
  REQUIRE(resolve_placement(run, std::nullopt, plans()).ok());
  CHECK(run.placement.nodes == 2);
  CHECK(run.placement.partition == "gpu");
  CHECK(run.placement.arguments == std::vector<std::string>{"--account=vision", "--qos=long"});
  CHECK(run.gpus == 2);
  CHECK(run.limits.cpu_thousandths == 8000);
  CHECK(run.limits.memory_bytes == std::int64_t{32} << 30);
  CHECK(run.max_runtime_ms == 5000);
  CHECK(run.isolation.network == NetworkAccess::host);
  CHECK(check_placement(run).ok());
}

TEST_CASE("a plan for a cluster serves on a machine too", "[unit]") {
  RunRequest run = request();
  run.placement.plan = "train.l";
  run.placement.executor = ExecutorKind::local;
  REQUIRE(resolve_placement(run, std::nullopt, plans()).ok());
  CHECK(run.placement.partition == std::nullopt);
  CHECK(run.placement.arguments.empty());
  CHECK(run.limits.cpu_thousandths == 8000);
  CHECK(check_placement(run).ok());
}

TEST_CASE("a plan that is not there is named, with the one that was perhaps meant", "[unit]") {
  RunRequest run = request();
  run.placement.plan = "train.k";
  const auto resolved = resolve_placement(run, std::nullopt, plans());
  REQUIRE_FALSE(resolved.ok());
  CHECK(resolved.error().message ==
        "the store has no resource plan 'train.k'; did you mean 'train.l'?; see 'trainyard plans list'");
}

TEST_CASE("what does not go together is refused", "[unit]") {
  const auto refusal = [](auto change) {
    RunRequest run = request();
    change(run);
    REQUIRE(resolve_placement(run, std::nullopt, {}).ok());
    const auto checked = check_placement(run);
    return checked.ok() ? std::string() : checked.error().message;
  };
  CHECK(refusal([](RunRequest& run) { run.placement.partition = "gpu"; }) ==
        "a partition is given, which only --executor slurm has");
  CHECK(refusal([](RunRequest& run) { run.placement.arguments = {"--qos=long"}; }) ==
        "arguments for sbatch are given, which only --executor slurm calls");
  CHECK(refusal([](RunRequest& run) { run.placement.sharding = DataSharding::by_file; }) ==
        "the data of a run on one node is not sharded; give --nodes N, or leave --data-sharding out");
  CHECK(refusal([](RunRequest& run) {
          run.type = RunType::evaluation;
          run.placement.nodes = 2;
        }) == "an evaluation runs on one node; leave --nodes out");
  CHECK(refusal([](RunRequest& run) {
          run.placement.executor = ExecutorKind::slurm;
          run.placement.partition = "gpu";
        }).empty());
}

TEST_CASE("an argument for sbatch is one option, and none of those that Trainyard sets", "[unit]") {
  for (const char* const good : {"--qos=long", "--account=vision lab", "--exclusive", "--constraint=a100|h100",
                                 "--mail-user=a@b.example", "--gres=gpu:a100:2", "--no-requeue", "--exclude=n3"}) {
    INFO(good);
    CHECK(check_sbatch_argument(good).ok());
  }
  for (const char* const bad : {"",
                                "-",
                                "--",
                                "-A",
                                "-A vision",
                                "vision",
                                "--=x",
                                "--a b=c",
                                "--wrap=rm",
                                "--wrap",
                                "--wra=rm",
                                "--array=0-9",
                                "--arr=0-9",
                                "--output=/etc/passwd",
                                "--out=/x",
                                "--requeue",
                                "--req",
                                "--job-name=x",
                                "--export=ALL",
                                "--exp",
                                "--chdir=/",
                                "--hold",
                                "--nodes=3",
                                "--nod=3",
                                "--dependency=singleton",
                                "--qos=a\nb",
                                "--wait"}) {
    INFO(bad);
    CHECK_FALSE(check_sbatch_argument(bad).ok());
  }
}

}  // namespace trainyard::placement_test
