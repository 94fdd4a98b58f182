// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/work_pool.hpp"

#include <utility>

namespace trainyard {

WorkPool::~WorkPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_all();
  threads_.clear();  // joins
}

void WorkPool::give(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < most_) {
      waiting_.push_back(std::move(work));
      if (idle_ < waiting_.size() && threads_.size() < most_) threads_.emplace_back([this] { serve(); });
      work = nullptr;
    }
  }
  if (work) {
    work();
  } else {
    given_.notify_one();
  }
}

bool WorkPool::help() {
  Work work;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    work = std::move(waiting_.front());
    waiting_.pop_front();
  }
  work();
  return true;
}

void WorkPool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    given_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void WorkGroup::give(WorkPool::Work work) {
  {
    const std::lock_guard lock(mutex_);
    ++unfinished_;
  }
  pool_.give([this, work = std::move(work)] {
    work();
    const std::lock_guard lock(mutex_);
    --unfinished_;
    done_.notify_all();
  });
}

void WorkGroup::wait(std::size_t left) {
  const auto few = [&] {
    const std::lock_guard lock(mutex_);
    return unfinished_ <= left;
  };
  while (!few() && pool_.help()) {
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return unfinished_ <= left; });
}

}  // namespace trainyard
