// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "runner/cli/terminal.hpp"

namespace trainyard {

// "[####    ]  40%  312.0 MiB sent, 80.1 MiB/s, 12 s left", from any thread.
class TransferLine {
 public:
  explicit TransferLine(std::string verb) : verb_(std::move(verb)) {}

  void show(std::uint64_t done, std::uint64_t all, std::uint64_t moved) {
    const std::lock_guard lock(mutex_);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double share = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    std::string text = bar(share) + "  " + size_text(moved) + " " + verb_;
    if (seconds > 1) {
      text += ", " + size_text(static_cast<std::uint64_t>(static_cast<double>(moved) / seconds)) + "/s";
      if (share > 0.01) text += ", " + duration_text(seconds / share - seconds) + " left";
    }
    line_.show(text);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    line_.clear();
  }

 private:
  const std::string verb_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  StatusLine line_;  // guarded by mutex_
};

}  // namespace trainyard
