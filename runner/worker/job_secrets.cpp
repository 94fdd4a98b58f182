// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_secrets.hpp"

#include "runner/jobs/sealed_secrets.hpp"

namespace trainyard {

namespace {

// More than every secret that fits the environment of a process.
constexpr std::size_t kMostSecrets = std::size_t{4} << 20U;

// Those that wait in a sealed file are there no longer when somebody has read them.
Result<Secrets> unseal_secrets(const JobFolder& folder, const std::string& key) {
  const std::string sealed = TRY(read_file(folder.sealed_secrets(), kMostSecrets));
  TRY(remove_file(folder.sealed_secrets()));
  return unseal(sealed, key);
}

}  // namespace

Result<Secrets> take_secrets(const JobSpec& job, const JobFolder& folder, const SlurmAllocation* slurm) {
  if (job.secrets.empty()) return Secrets();
  const Secrets secrets = slurm != nullptr ? TRY(unseal_secrets(folder, slurm->secrets_key()))
                                           : TRY(secrets_from_json(TRY(read_file("/proc/self/fd/0", kMostSecrets))));
  for (const std::string& name : job.secrets) {
    if (!secrets.contains(name)) return fail(Errc::invalid, "the value of the secret " + name + " did not come");
  }
  return secrets;
}

}  // namespace trainyard
