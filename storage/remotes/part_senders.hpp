// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct FilePart {
  int number = 0;  // from 1
  std::string bytes;
  Digest digest;
};

// Threads that send parts, no more than one each at a time; so much is in memory, and one part that waits. The first error
// ends them all.
class PartSenders {
 public:
  using Send = std::function<Result<void>(const FilePart& part)>;  // in any thread

  PartSenders(int threads, Send send) : send_(std::move(send)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~PartSenders() { static_cast<void>(finish()); }
  PartSenders(const PartSenders&) = delete;
  PartSenders& operator=(const PartSenders&) = delete;

  // Waits until there is room. False after an error: nothing more is sent.
  bool add(FilePart part) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return error_ || waiting_.empty(); });
    if (error_) return false;
    waiting_.push_back(std::move(part));
    changed_.notify_all();
    return true;
  }

  // Returns when all parts have gone.
  Result<void> finish() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    if (error_) return *error_;
    return {};
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return error_ || done_ || !waiting_.empty(); });
      if (error_ || waiting_.empty()) return;
      const FilePart part = std::move(waiting_.front());
      waiting_.pop_front();
      changed_.notify_all();
      lock.unlock();
      auto sent = send_(part);
      if (sent.ok()) continue;
      lock.lock();
      if (!error_) error_ = std::move(sent).error();
      changed_.notify_all();
      return;
    }
  }

  const Send send_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FilePart> waiting_;  // guarded by mutex_, as are the next
  std::optional<Error> error_;
  bool done_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace trainyard
