// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/slurm_settings.hpp"
#include "tests/contract/test_job.hpp"

namespace trainyard::test {

// A cluster of its own for each test, since it is harmed; and an executor for it.
class HarmedCluster {
 public:
  explicit HarmedCluster(int nodes = 2, std::map<std::string, std::string> settings = {})
      : slurm_(nodes, std::move(settings)), executor_(make()) {}

  [[nodiscard]] std::unique_ptr<SlurmExecutor> make() const {
    return std::make_unique<SlurmExecutor>(impatient(slurm_, folder_.path()));
  }
  [[nodiscard]] const Path& folder() const { return folder_.path(); }
  SlurmExecutor& executor() { return *executor_; }
  SlurmCluster& slurm() { return slurm_; }

  // Looks until the job is over, as long as a cluster may take to notice.
  JobLook end_of(const JobId& id, const TestJob& job);
  // Waits until it is seen to wait, and why.
  std::string wait_of(const JobId& id, const TestJob& job);

 private:
  TempFolder folder_;
  SlurmCluster slurm_;
  std::unique_ptr<SlurmExecutor> executor_;
};

// What the look at a job must have found; an exception ends the test when it is something else.
inline Outcome lost(const JobLook& look) { return std::get<JobLost>(look).outcome; }
inline JobExit ended(const JobLook& look) { return std::get<JobExit>(look); }

struct SlowJob : TestJob {
  explicit SlowJob(double seconds) : TestJob(std::string(TRAINYARD_TEST_PACKAGES_DIR) + "/slow/libslow.so") {
    set("seconds", seconds);
  }
};

// With a zero byte after each argument.
std::string command_line(pid_t process);
// The processes of this machine whose command line has all of these words.
std::vector<pid_t> processes_with(const std::vector<std::string>& words);
// 0 when it is gone.
pid_t parent_of(pid_t process);
bool any_alive(const TestJob& job);

}  // namespace trainyard::test
