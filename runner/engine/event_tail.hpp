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

// The worker's last word: its last `ended` event, if it came to one.
Result<std::optional<event::Ended>> last_word(const Path& events);

}  // namespace trainyard
