// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace trainyard {

// A few threads for work that only the processor bounds. Who gives it more than it can take does the work himself, so
// that memory stays bounded and no core waits. Thread-safe. Threads start with the first work.
class WorkPool {
 public:
  using Work = std::function<void()>;

  explicit WorkPool(unsigned threads) : most_(threads) {}
  // Everything given to it is done by then.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void give(Work work);
  // Does one piece of waiting work in the calling thread; false when none waits.
  bool help();
  [[nodiscard]] unsigned threads() const { return most_; }

 private:
  void serve();

  const unsigned most_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<Work> waiting_;  // guarded by mutex_, as are the next two
  bool ending_ = false;
  unsigned idle_ = 0;
  std::vector<std::jthread> threads_;
};

// Counts pieces of work given to a pool, to wait for all of them.
class WorkGroup {
 public:
  explicit WorkGroup(WorkPool& pool) : pool_(pool) {}
  ~WorkGroup() { wait(); }
  WorkGroup(const WorkGroup&) = delete;
  WorkGroup& operator=(const WorkGroup&) = delete;

  void give(WorkPool::Work work);
  // Until at most `left` of them are unfinished; meanwhile does other work of the pool.
  void wait(std::size_t left = 0);

 private:
  WorkPool& pool_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t unfinished_ = 0;  // guarded by mutex_
};

// How many threads this machine works on at once; at least 1.
inline unsigned hardware_threads() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace trainyard
