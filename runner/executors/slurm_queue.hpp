// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "runner/executors/slurm_commands.hpp"
#include "storage/values/instant.hpp"

namespace trainyard {

// What Slurm's queue was when somebody asked.
struct SlurmQueueView {
  struct Seen {
    SlurmQueueEntry entry;
    std::optional<std::size_t> before;  // of one that waits: how many of all users are before it, as far as one may see
  };
  Instant taken_at;
  std::map<SlurmJobId, Seen> jobs;
};

// The queue as all who use a store see it: asked once for all of their jobs, and not again before some time has passed,
// however many processes wait for their jobs. The last answer is a file in a folder of the store. Thread-safe.
//
//   queue       the time of the answer, then a line for each job: how many are before it or "-", "|", what squeue printed
//   queue.lock  held by whoever asks
class SlurmQueue {
 public:
  // `folder` is made when it is needed.
  SlurmQueue(const SlurmCommands& commands, Path folder, std::chrono::milliseconds between_looks)
      : commands_(&commands), folder_(std::move(folder)), between_looks_(between_looks) {}

  // `unavailable` when Slurm does not answer; then it is not asked again at once either.
  Result<SlurmQueueView> look();

 private:
  Result<SlurmQueueView> ask() const;
  [[nodiscard]] std::optional<SlurmQueueView> known() const;
  [[nodiscard]] bool is_fresh(const SlurmQueueView& view) const;

  const SlurmCommands* commands_;
  Path folder_;
  std::chrono::milliseconds between_looks_;
  std::mutex mutex_;
  std::optional<SlurmQueueView> view_;  // the newest that this process has read
  std::optional<Error> silence_;
  std::chrono::steady_clock::time_point ask_at_{};
};

}  // namespace trainyard
