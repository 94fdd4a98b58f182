// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/core/job_id.hpp"
#include "runner/core/job_spec.hpp"
#include "runner/core/outcome.hpp"

// What is said to Slurm's commands and how what they say is read (man pages of sbatch, squeue and scancel, Slurm 22.05). Pure.
namespace trainyard {

// As Slurm numbers jobs within a cluster: "slurm:17", or "slurm:17_3" for one of the array 17.
struct SlurmJobId {
  std::uint64_t number = 0;
  std::optional<std::uint64_t> index = std::nullopt;

  // `invalid` for everything else than its text.
  static Result<SlurmJobId> parse(const JobId& job);
  [[nodiscard]] JobId job() const { return {"slurm:" + text()}; }
  // As Slurm's commands take it: "17" or "17_3".
  [[nodiscard]] std::string text() const {
    return std::to_string(number) + (index ? "_" + std::to_string(*index) : "");
  }
  friend auto operator<=>(const SlurmJobId&, const SlurmJobId&) = default;
};

// Who holds the claim of a job folder: the supervisor of the `restart`-th time that Slurm began the job.
//
//   slurm:<job>:<restart>:<node>
struct SlurmClaim {
  SlurmJobId job;
  std::uint64_t restart = 0;
  std::string node;

  static Result<SlurmClaim> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

// The name by which a job is found again whose number nobody could note: "trainyard-" and 24 hexadecimal digits of the
// SHA-256 of its folder's absolute path.
std::string slurm_job_name(const std::string& job_folder);

// The arguments of sbatch for a job whose name is `name`, before the script and what the script is given. Of time and
// memory Slurm gets more than the job is allowed, so that its supervisor is the first to end it and can say why. Slurm is
// never asked to begin a job again: attempts are Trainyard's business. `log` takes what Slurm itself says of the job.
// With `array` jobs at once that differ only in their folders, they are one array.
std::vector<std::string> sbatch_options(const JobSpec& job, const std::string& name, const std::string& log,
                                        std::optional<std::size_t> array = std::nullopt);

// The number that `sbatch --parsable` printed: "17" or "17;cluster".
Result<SlurmJobId> submitted_job(const std::string& printed);

// What sbatch, squeue or scancel said on stderr when it refused, as one sentence without its prefixes.
std::string slurm_message(const std::string& complained);

// Whether the same may succeed later: the controller does not answer, or takes no more jobs now.
bool slurm_may_answer_later(const std::string& complained);

// A job as the queue shows it.
struct SlurmQueueEntry {
  SlurmJobId job;
  std::string state;   // "PENDING", "RUNNING", "NODE_FAIL" ...
  std::string reason;  // "Resources", "Priority" ...; of one that waits
  std::string start;   // when Slurm expects to begin it, in local time; "N/A" when it does not know
  std::string name;
  friend bool operator==(const SlurmQueueEntry&, const SlurmQueueEntry&) = default;
};

// For squeue's --format; and one line of what it prints then, read and written.
inline constexpr const char* kSqueueFormat = "%F|%K|%T|%r|%S|%j";
Result<SlurmQueueEntry> parse_queue_line(std::string_view line);
std::string queue_line(const SlurmQueueEntry& entry);

// What Slurm's state of a job means: that it waits; that it runs, or is about to; that it has ended.
enum class SlurmPhase { waiting, running, ended };
SlurmPhase phase_of(const SlurmQueueEntry& entry);

// Why a job is over that left no word: as Slurm's state has it, and the last line of what slurmstepd said, which may be
// empty. `entry` is none when Slurm does not know it any more.
Outcome lost_in_slurm(const SlurmJobId& job, const std::optional<SlurmQueueEntry>& entry, const std::string& words);

// "it waits in Slurm as job 17 (Resources), 3 before it"
std::string slurm_wait(const SlurmQueueEntry& entry, std::optional<std::size_t> before);

}  // namespace trainyard
