// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/slurm_allocation.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "runner/jobs/sealed_secrets.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kLongestWords = std::size_t{16} << 20U;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The last line of what stderr is that slurmstepd marks as its own.
std::string marked_line() {
  const auto text = read_file("/proc/self/fd/2", kLongestWords);
  if (!text.ok()) return "";
  const std::size_t end = text->rfind(" ***");
  const std::size_t begin = end == std::string::npos ? end : text->rfind("*** ", end);
  if (begin == std::string::npos || text->find('\n', begin) < end) return "";
  return std::string(utf8_prefix(utf8_cleaned(std::string_view(*text).substr(begin, end + 4 - begin)), 500));
}

}  // namespace

Result<SlurmAllocation> SlurmAllocation::of_this_process() {
  const std::string array = variable("SLURM_ARRAY_JOB_ID");
  const auto number = number_in<std::uint64_t>(array.empty() ? variable("SLURM_JOB_ID") : array);
  if (!number) return fail(Errc::invalid, "this is no job of Slurm: SLURM_JOB_ID is not set");
  SlurmJobId job{*number, std::nullopt};
  if (!array.empty()) job.index = number_in<std::uint64_t>(variable("SLURM_ARRAY_TASK_ID"));
  const auto restart = number_in<std::uint64_t>(variable("SLURM_RESTART_COUNT"));
  UniqueFd holder(static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0)));
  if (!holder) return system_error("watch", "the process of Slurm that holds the job", errno);
  SlurmAllocation allocation({job, restart.value_or(0), variable("SLURMD_NODENAME")}, std::move(holder));
  allocation.secrets_key_ = variable(kSecretsKey);
  for (const char* const name :
       {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ZE_AFFINITY_MASK", "SLURM_JOB_ID"}) {
    if (const std::string value = variable(name); !value.empty()) allocation.environment_[name] = value;
  }
  return allocation;
}

std::string SlurmAllocation::last_word() const {
  constexpr int kLooks = 50;
  for (int look = 0; look < kLooks; ++look) {
    pollfd holder{holder_.get(), POLLIN, 0};
    // Asked before, since its word may be its last act.
    const bool gone = ::poll(&holder, 1, 0) == 1;
    if (std::string line = marked_line(); !line.empty()) return line;
    if (gone) return "slurmstepd, which held the job, is gone";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return "Slurm did not say why";
}

}  // namespace trainyard
