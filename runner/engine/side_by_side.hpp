// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "storage/values/result.hpp"

namespace trainyard {

// Does work(0) … work(count - 1), several at a time, in threads that mostly wait for others. After the first error no
// further work begins; it is yielded once all that began has ended.
inline Result<void> side_by_side(std::size_t count, std::size_t at_once,
                                 const std::function<Result<void>(std::size_t which)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;
  const auto serve = [&] {
    for (std::size_t which = next++; which < count; which = next++) {
      auto done = work(which);
      if (done.ok()) continue;
      next = count;
      const std::lock_guard lock(mutex);
      if (!error) error = std::move(done).error();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, at_once); ++i) threads.emplace_back(serve);
    serve();
  }
  if (error) return *error;
  return {};
}

}  // namespace trainyard
