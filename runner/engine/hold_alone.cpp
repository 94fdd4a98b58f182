// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/hold_alone.hpp"

#include <chrono>
#include <thread>

namespace trainyard {

namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(20);
constexpr auto kPatience = std::chrono::seconds(1);

}  // namespace

Result<WriteHold> hold_alone(const Store& store, const WaitForWriters& writers) {
  store.objects().release();
  const Path objects = store.root() / "objects";
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  for (;;) {
    auto hold = TRY(WriteHold::exclusive(objects, told ? WriteHold::Wait::yes : WriteHold::Wait::no));
    if (hold) return std::move(*hold);
    if (writers.wait == WriteHold::Wait::no) {
      return fail(Errc::unavailable, "another command is writing to the store '" + store.root().string() +
                                         "'; try again when it is done, or without --no-wait");
    }
    if (std::chrono::steady_clock::now() - begin > kPatience) {
      if (writers.waiting) writers.waiting();
      told = true;
    } else {
      std::this_thread::sleep_for(kBetweenTries);
    }
  }
}

}  // namespace trainyard
