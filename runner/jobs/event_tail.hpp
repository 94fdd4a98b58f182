// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/worker_event.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Follows events.jsonl while a worker writes it.
class EventTail {
 public:
  explicit EventTail(Path file) : file_(std::move(file)) {}

  // The events of the lines that were completed since the last call. Lines that are no events are skipped: the package
  // could have written there, and what it says beside its result decides nothing.
  Result<std::vector<WorkerEvent>> poll();

 private:
  Path file_;
  std::uint64_t offset_ = 0;
  std::string rest_;  // the beginning of a line that is not complete yet
};

// What the events of a job that is over say of its end. Where there are several of a kind, the last one counts.
struct JobWord {
  std::optional<event::Ended> ended;      // none when the job's process was gone before
  std::optional<double> score;            // what evaluate() said
  std::optional<std::string> trained_on;  // the folder that train() was given, where that was decided in the job
};
Result<JobWord> last_word(const Path& events);

}  // namespace trainyard
