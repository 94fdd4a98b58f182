// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "storage/objects/write_hold.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

struct WaitForWriters {
  WriteHold::Wait wait = WriteHold::Wait::yes;
  std::function<void()> waiting;  // called once, when writers have been at work for a second
};

// The store with nobody writing to it: no record is between its objects and its file. `unavailable` when somebody writes
// and this shall not wait. What this process put itself must have its record.
Result<WriteHold> hold_alone(const Store& store, const WaitForWriters& writers);

}  // namespace trainyard
