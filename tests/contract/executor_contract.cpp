// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/executor_contract.hpp"

#include "runner/executors/local_executor.hpp"
#include "tests/contract/slurm_settings.hpp"

using namespace trainyard;
using namespace trainyard::executor_contract;

namespace {

// One adapter: how an executor of it is made. A further one is added to the list of each test case.
struct Local {
  static std::unique_ptr<Executor> make() { return std::make_unique<LocalExecutor>(TRAINYARD_WORKER_PROGRAM); }
};

// One cluster for all tests of this process.
struct Slurm {
  static std::unique_ptr<Executor> make() {
    static const SlurmCluster cluster;
    static const TempFolder folder;
    return std::make_unique<SlurmExecutor>(test::impatient(cluster, folder.path()));
  }
};

}  // namespace

#define EXECUTOR_TEST(promise) \
  TEMPLATE_TEST_CASE("executor: " #promise, "[executor]", Local, Slurm) { promise(TestType::make); }

EXECUTOR_TEST(runs_a_job_to_its_end)
EXECUTOR_TEST(tells_running_from_ended_and_says_the_end_for_ever)
EXECUTOR_TEST(finds_a_job_that_another_process_started)
EXECUTOR_TEST(recall_of_a_job_that_never_started_forbids_it)
EXECUTOR_TEST(a_polite_stop_lets_the_package_say_so)
EXECUTOR_TEST(a_stop_counts_however_early_it_comes)
EXECUTOR_TEST(a_package_that_does_not_stop_is_killed_after_the_grace)
EXECUTOR_TEST(a_stop_now_has_no_grace)
EXECUTOR_TEST(stopping_a_job_that_has_ended_is_fine)
EXECUTOR_TEST(the_longest_runtime_is_kept)
EXECUTOR_TEST(an_id_of_another_place_is_refused)
EXECUTOR_TEST(a_job_over_its_memory_is_ended_with_the_figure)
EXECUTOR_TEST(secrets_reach_the_job_and_lie_readable_nowhere)
