// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace trainyard {

// One thread more for what a single one could do as well; where the system has no more to give, the work goes on with
// those that are there.
template <class Work>
void add_thread(std::vector<std::jthread>& threads, Work&& work) {
  try {
    threads.emplace_back(std::forward<Work>(work));
  } catch (const std::system_error&) {
    return;
  }
}

}  // namespace trainyard
