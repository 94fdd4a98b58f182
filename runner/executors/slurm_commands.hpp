// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/core/slurm_job.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Slurm's own programs, each called with a list of arguments and never through a shell. Thread-safe.
//
// An error is `unavailable` when the controller does not answer or takes no more jobs now, `invalid` when it refuses what
// was asked, with its own words.
class SlurmCommands {
 public:
  // `environment` is that of whoever uses Trainyard: of it PATH, SLURM_CONF and the SBATCH_ variables that name an
  // account, a partition and the like reach the programs, and nothing else.
  // Each call is given up after `patience`: sbatch itself tries again for minutes when the controller takes no more jobs,
  // and nobody could stop it then.
  SlurmCommands(const std::map<std::string, std::string>& environment, std::chrono::milliseconds patience);

  // Puts a job into the queue that runs `argv`. `secrets_key` reaches it as a variable.
  Result<SlurmJobId> submit(const std::vector<std::string>& options, const Path& script,
                            const std::vector<std::string>& argv, const std::string& secrets_key) const;

  // The jobs of this user that are not over.
  [[nodiscard]] Result<std::vector<SlurmQueueEntry>> queue() const;
  // Those of one name that the controller has not forgotten yet, which it does some minutes after their end.
  [[nodiscard]] Result<std::vector<SlurmQueueEntry>> jobs_named(const std::string& name) const;
  // The jobs of all users that wait, as far as this one may see them, the next first.
  [[nodiscard]] Result<std::vector<std::string>> waiting() const;

  // One that is over, or that the controller has forgotten, is fine.
  [[nodiscard]] Result<void> cancel(const SlurmJobId& job) const;
  // To the process that the job began with. `name` is that of a signal without "SIG".
  [[nodiscard]] Result<void> signal(const SlurmJobId& job, const char* name) const;

 private:
  Result<std::vector<SlurmQueueEntry>> ask_queue(const std::vector<std::string>& which) const;
  Result<std::string> call(const char* program, const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) const;

  std::map<std::string, std::string> environment_;
  std::chrono::milliseconds patience_;
};

}  // namespace trainyard
