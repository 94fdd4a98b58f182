// SPDX-License-Identifier: Apache-2.0
#include "runner/core/slurm_job.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace trainyard::slurm_job_test {

namespace {

JobSpec job() {
  JobSpec spec{*RunId::parse("01890a5d-ac96-774b-bcce-b302099a8057"),
               "digits@1.0",
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               10'000,
               {}};
  spec.placement.executor = ExecutorKind::slurm;
  spec.placement.nodes = 1;
  return spec;
}

bool has(const std::vector<std::string>& options, const char* option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}

bool sets(const std::vector<std::string>& options, const std::string& name) {
  return std::any_of(options.begin(), options.end(),
                     [&](const std::string& option) { return option.starts_with(name); });
}

SlurmQueueEntry entry(const char* state, const char* reason = "None") {
  return {{17}, state, reason, "N/A", "trainyard-x"};
}

}  // namespace

TEST_CASE("a job of Slurm has one text", "[unit]") {
  CHECK(SlurmJobId{17}.job().text == "slurm:17");
  CHECK((SlurmJobId{17, 3}.job().text) == "slurm:17_3");
  for (const char* const text : {"slurm:17", "slurm:17_0", "slurm:4294967295_1000"})
    CHECK(SlurmJobId::parse({text})->job().text == text);
  for (const char* const text : {"", "slurm", "slurm:", "slurm:0", "slurm:017", "slurm: 17", "slurm:17 ", "slurm:17_",
                                 "slurm:17_03", "slurm:_3", "slurm:-1", "slurm:17;rm", "local:1:2:b"}) {
    INFO(text);
    CHECK(SlurmJobId::parse({text}).error().code == Errc::invalid);
  }
}

TEST_CASE("a claim tells the job, its restart and its node", "[unit]") {
  const SlurmClaim claim{{17, 3}, 2, "gpu-n4"};
  CHECK(claim.text() == "slurm:17_3:2:gpu-n4");
  const auto read = SlurmClaim::parse(claim.text());
  REQUIRE(read.ok());
  CHECK(read->job == claim.job);
  CHECK(read->restart == 2);
  CHECK(read->node == "gpu-n4");
  for (const char* const text : {"abandoned", "slurm:17", "slurm:17:0", "slurm:x:0:n1", "slurm:17:x:n1", "local:1:2:b"})
    CHECK_FALSE(SlurmClaim::parse(text).ok());
}

TEST_CASE("Slurm gets a little more of everything than the job is allowed", "[unit]") {
  JobSpec spec = job();
  spec.limits.cpu_thousandths = 1500;
  spec.limits.memory_bytes = (std::int64_t{1} << 30) + 1;
  spec.max_runtime_ms = 90'000;
  spec.grace_ms = 31'000;
  spec.gpus = 2;
  spec.placement.partition = "gpu";
  spec.placement.nodes = 4;
  const auto options = sbatch_options(spec, "trainyard-x", "/runs/1/slurm.log");
  for (const char* const option :
       {"--cpus-per-task=2", "--mem=1089M", "--time=5", "--gres=gpu:2", "--partition=gpu", "--nodes=4",
        "--ntasks-per-node=1", "--job-name=trainyard-x", "--output=/runs/1/slurm.log", "--no-requeue", "--parsable",
        "--comment=digits@1.0 01890a5d-ac96-774b-bcce-b302099a8057"}) {
    INFO(option);
    CHECK(has(options, option));
  }
  CHECK_FALSE(sets(options, "--array"));
  CHECK(has(sbatch_options(spec, "trainyard-x", "/runs/1/slurm.log", 20), "--array=0-19"));
}

TEST_CASE("what a job does not ask for is the cluster's choice", "[unit]") {
  const auto options = sbatch_options(job(), "trainyard-x", "/runs/1/slurm.log");
  for (const char* const name : {"--cpus-per-task", "--mem", "--time", "--gres", "--partition"}) {
    INFO(name);
    CHECK_FALSE(sets(options, name));
  }
}

TEST_CASE("the user's arguments come first, so that ours count", "[unit]") {
  JobSpec spec = job();
  spec.placement.arguments = {"--account=vision", "--mem=4G"};
  spec.limits.memory_bytes = std::int64_t{1} << 30;
  const auto options = sbatch_options(spec, "n", "/l");
  CHECK(options[0] == "--account=vision");
  CHECK(options[1] == "--mem=4G");
  CHECK(std::find(options.begin(), options.end(), "--mem=1088M") > options.begin() + 1);
}

TEST_CASE("the number of a job is read from what sbatch prints", "[unit]") {
  CHECK(submitted_job("17\n")->number == 17);
  CHECK(submitted_job("17;cluster\n")->number == 17);
  CHECK_FALSE(submitted_job("").ok());
  CHECK_FALSE(submitted_job("Submitted batch job 17\n").ok());
}

TEST_CASE("what Slurm complains of is one sentence", "[unit]") {
  CHECK(slurm_message("sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: "
                      "Invalid partition name specified\n") ==
        "invalid partition specified: nope; Batch job submission failed: Invalid partition name specified");
  CHECK(slurm_message("") == "it said nothing");
}

TEST_CASE("what may succeed later is told from what will not", "[unit]") {
  for (const char* const later :
       {"squeue: error: Unable to contact slurm controller (connect failure)",
        "slurm_load_jobs error: Socket timed out on send/recv operation",
        "sbatch: error: Batch job submission failed: Resource temporarily unavailable",
        "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size "
        "and/or time limits)"}) {
    INFO(later);
    CHECK(slurm_may_answer_later(later));
  }
  for (const char* const never :
       {"sbatch: error: invalid partition specified: nope", "sbatch: error: Memory specification can not be satisfied",
        "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified", ""}) {
    INFO(never);
    CHECK_FALSE(slurm_may_answer_later(never));
  }
}

TEST_CASE("a line of the queue is read whole", "[unit]") {
  const auto one = parse_queue_line("17|N/A|PENDING|Resources|2026-11-30T21:30:18|trainyard-3f2a|x");
  REQUIRE(one.ok());
  CHECK(*one == SlurmQueueEntry{{17}, "PENDING", "Resources", "2026-11-30T21:30:18", "trainyard-3f2a|x"});
  CHECK(parse_queue_line("17|4|RUNNING|None|N/A|x")->job == SlurmJobId{17, 4});
  for (const char* const line : {"17|4|RUNNING|None|N/A|x", "17|N/A|PENDING|Resources|2026-11-30T21:30:18|a|b"})
    CHECK(queue_line(*parse_queue_line(line)) == line);
  CHECK_FALSE(parse_queue_line("").ok());
  CHECK_FALSE(parse_queue_line("x|N/A|RUNNING|None|N/A|x").ok());
  CHECK_FALSE(parse_queue_line("17|N/A|RUNNING|None|N/A").ok());
}

TEST_CASE("every state of Slurm means that a job waits, runs or has ended", "[unit]") {
  // "JOB STATE CODES" of the manual of squeue, 22.05.
  const std::vector<std::pair<SlurmPhase, std::vector<const char*>>> rows = {
      {SlurmPhase::waiting, {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"}},
      {SlurmPhase::running,
       {"RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING",
        "RESV_DEL_HOLD"}},
      {SlurmPhase::ended,
       {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
        "REVOKED", "TIMEOUT"}}};
  for (const auto& [phase, states] : rows) {
    for (const char* const state : states) {
      INFO(state);
      CHECK(phase_of(entry(state)) == phase);
    }
  }
}

TEST_CASE("why a job was lost is what Slurm has of it", "[unit]") {
  const auto reason = [](const std::optional<SlurmQueueEntry>& seen, const std::string& words = "") {
    return lost_in_slurm({17}, seen, words).reason;
  };
  CHECK(reason(std::nullopt) == RunReason::lost);
  CHECK(reason(entry("NODE_FAIL")) == RunReason::lost);
  CHECK(reason(entry("PREEMPTED")) == RunReason::lost);
  CHECK(reason(entry("COMPLETED")) == RunReason::lost);
  CHECK(reason(entry("PENDING", "BeginTime")) == RunReason::lost);
  CHECK(reason(entry("FAILED", "NonZeroExitCode")) == RunReason::lost);
  CHECK(reason(entry("FAILED"), "slurmstepd-n1: error: Exceeded job memory limit") == RunReason::out_of_memory);
  CHECK(reason(entry("OUT_OF_MEMORY")) == RunReason::out_of_memory);
  CHECK(reason(entry("TIMEOUT")) == RunReason::max_runtime);
  CHECK(reason(entry("DEADLINE")) == RunReason::max_runtime);
  CHECK(reason(entry("CANCELLED")) == RunReason::stopped);
  CHECK(lost_in_slurm({17}, entry("FAILED", "NonZeroExitCode"), "trainyard-worker: not found").message ==
        "Slurm says of its job 17: FAILED (NonZeroExitCode), and it left no word of its end; slurm.log says: "
        "trainyard-worker: not found");
}

TEST_CASE("what a job waits for is told with its place and its time", "[unit]") {
  CHECK(slurm_wait(entry("PENDING", "Priority"), 3) == "it waits in Slurm as job 17 (Priority), 3 before it");
  SlurmQueueEntry timed = entry("PENDING", "Resources");
  timed.start = "2026-11-30T21:30:18";
  CHECK(slurm_wait(timed, std::nullopt) ==
        "it waits in Slurm as job 17 (Resources), expected to begin at 2026-11-30T21:30:18");
}

TEST_CASE("a scheduler's word decides why it ended a job", "[unit]") {
  const auto reason = [](const char* word) {
    JobExit exit;
    exit.signal = 9;
    exit.stop = StopCause::scheduler;
    exit.scheduler = word;
    return judge(exit, std::nullopt).reason;
  };
  CHECK(reason("*** JOB 17 ON n1 CANCELLED AT 2026-11-30T21:30:20 ***") == RunReason::stopped);
  CHECK(reason("*** JOB 17 ON n1 CANCELLED AT 2026-11-30T21:30:20 DUE TO TIME LIMIT ***") == RunReason::max_runtime);
  CHECK(reason("*** JOB 17 ON n1 CANCELLED AT 2026-11-30T21:30:20 DUE TO PREEMPTION ***") == RunReason::lost);
  CHECK(reason("*** JOB 17 ON n1 CANCELLED AT 2026-11-30T21:30:20 DUE TO NODE FAILURE ***") == RunReason::lost);
  CHECK(reason("slurmstepd, which held the job, is gone") == RunReason::lost);
}

}  // namespace trainyard::slurm_job_test
