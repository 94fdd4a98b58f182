// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "runner/core/slurm_job.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Slurm kills a job some time after it has asked it to end: KillWait, 30 seconds where nobody decided otherwise.
inline constexpr std::chrono::milliseconds kGraceInSlurm{20'000};

// What a supervisor knows of Slurm when Slurm began it: by the variables of the sbatch manual, "OUTPUT ENVIRONMENT
// VARIABLES".
class SlurmAllocation {
 public:
  // Of this process, which slurmstepd has started. `invalid` where Slurm did not.
  static Result<SlurmAllocation> of_this_process();

  [[nodiscard]] const SlurmClaim& claim() const { return claim_; }
  // Polls readable once slurmstepd has ended: then Slurm has let go of the job, whose processors are somebody else's.
  [[nodiscard]] int holder_end() const { return holder_.get(); }
  // For the job's code: which of the node's GPUs are its own, and the number of the job.
  [[nodiscard]] const std::map<std::string, std::string>& environment() const { return environment_; }
  // With which the job's secrets are opened; empty when it has none.
  [[nodiscard]] const std::string& secrets_key() const { return secrets_key_; }

  // Why Slurm ended the job: what slurmstepd said, which may come a little later than the signal, or that it is gone itself.
  [[nodiscard]] std::string last_word() const;

 private:
  SlurmAllocation(SlurmClaim claim, UniqueFd holder) : claim_(std::move(claim)), holder_(std::move(holder)) {}

  SlurmClaim claim_;
  UniqueFd holder_;
  std::map<std::string, std::string> environment_;
  std::string secrets_key_;
};

}  // namespace trainyard
