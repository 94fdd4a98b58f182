// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/core/job_exit.hpp"
#include "runner/core/job_spec.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// A run folder as the executor and the worker share it: the names of the files through which they speak. It knows
// nothing of what else lies there.
//
//   job.json         the JobSpec; there before the job is started
//   job.claim        one line: the id of the job that was started, or "abandoned" when that was forbidden; written once
//   stdout.log       what the package printed, byte for byte
//   stderr.log
//   log_index.jsonl  {"offset":N,"size":N,"stream":"stdout"|"stderr","time":Instant} for every piece of a log
//   events.jsonl     one WorkerEvent per line
//   slurm.*          what an executor keeps there of its cluster (runner/executors/slurm_executor.hpp)
//   channel/         what the job's own processes are given, while it runs: a copy of job.json, and the fifo into which
//                    they write their events
//   job.cgroups      while it runs: the folders of its control groups, a line each
//   root/            while it runs: where a job that has a file system of its own finds it mounted
//   exit.json        the JobExit; appears whole, as the worker's last act. Before that its room is exit.json.tmp
//   ranks/1/ …       of a job with several workers: the same files of those other than the first, rank 0, whose files lie
//                    here. Its own claim and its own exit lie in ranks/0/, for those here are of the job as a whole. ranks/stop
//                    is there once they are asked to stop, and job.pulse, of one on another node, changes while its
//                    supervisor is there
class JobFolder {
 public:
  // REQUIRES: `path` is absolute.
  explicit JobFolder(Path path) : path_(std::move(path)), word_(path_) {}

  // Of one worker of the job whose folder is `path`.
  static JobFolder of_rank(const Path& path, int rank) {
    const Path own = path / "ranks" / std::to_string(rank);
    return JobFolder(rank == 0 ? path : own, own);
  }

  // That the workers of the job whose folder is `path` are asked to stop; there before any of them is.
  static Path stop_of_ranks(const Path& path) { return path / "ranks" / "stop"; }

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] Path job() const { return path_ / "job.json"; }
  [[nodiscard]] Path claim() const { return word_ / "job.claim"; }
  // Of a worker whose supervisor runs where nobody else sees its processes: changes as long as that is there.
  [[nodiscard]] Path pulse() const { return word_ / "job.pulse"; }
  [[nodiscard]] Path stdout_log() const { return path_ / "stdout.log"; }
  [[nodiscard]] Path stderr_log() const { return path_ / "stderr.log"; }
  [[nodiscard]] Path log_index() const { return path_ / "log_index.jsonl"; }
  [[nodiscard]] Path events() const { return path_ / "events.jsonl"; }
  [[nodiscard]] Path sealed_secrets() const { return path_ / "slurm.secrets"; }
  [[nodiscard]] Path channel() const { return path_ / "channel"; }
  [[nodiscard]] Path channel_job() const { return channel() / "job.json"; }
  [[nodiscard]] Path channel_events() const { return channel() / "events"; }
  [[nodiscard]] Path cgroups() const { return path_ / "job.cgroups"; }
  [[nodiscard]] Path root() const { return path_ / "root"; }
  [[nodiscard]] Path exit() const { return word_ / "exit.json"; }
  [[nodiscard]] Path exit_draft() const { return word_ / "exit.json.tmp"; }

  // The workers of a job that has several, in order; none of one that has one.
  [[nodiscard]] Result<std::vector<int>> ranks() const;

  [[nodiscard]] Result<JobSpec> read_job() const;
  // Takes the room of exit.json on the disk, so that neither a disk that is full already nor a job that fills it takes away
  // the means to say so.
  [[nodiscard]] Result<void> reserve_exit() const;
  // None as long as nobody has claimed it.
  [[nodiscard]] Result<std::optional<std::string>> read_claim() const;
  // None as long as the worker has not written it.
  [[nodiscard]] Result<std::optional<JobExit>> read_exit() const;

 private:
  JobFolder(Path path, Path word) : path_(std::move(path)), word_(std::move(word)) {}

  Path path_;
  Path word_;  // where the claim and the exit lie
};

// A job.json.
Result<JobSpec> read_job_spec(const Path& file);

inline constexpr std::string_view kAbandoned = "abandoned";

// Writes job.claim unless somebody was faster, and yields what it says now: `claimant`, or that of the first. The one
// decision whether the job of the folder runs is made here, by the file system.
Result<std::string> claim_job(const JobFolder& folder, std::string_view claimant);

}  // namespace trainyard
