// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/values/names.hpp"

namespace trainyard {

// How much of a machine the runs of a store may use at once. There are two lines: runs without a GPU take one of `runs`
// each, runs with GPUs take GPUs and nothing else, so that neither waits for the other.
struct Slots {
  std::uint32_t runs = 1;
  std::vector<std::uint32_t> gpus;  // their numbers, ascending
};

// A run that waits for its slot, or has it.
struct Ticket {
  RunId run;
  std::uint32_t gpus = 0;           // how many it needs
  int priority = 0;                 // of one that waits
  bool holds = false;               // has its slot
  std::vector<std::uint32_t> held;  // the numbers of its GPUs
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

// A ticket is the name of an empty file, so that a listing of their folder is the whole state of the lines, and its order
// the order of those who wait:
//
//   wait.<100 - priority, 3 digits>.<run>.<GPUs needed>      hold.<run>.<numbers of its GPUs, or ->
std::string name_of(const Ticket& ticket);
Result<Ticket> parse_ticket(std::string_view name);

struct SlotGranted {
  std::vector<std::uint32_t> gpus;
  friend bool operator==(const SlotGranted&, const SlotGranted&) = default;
};
struct SlotAwaited {
  std::string reason;        // part of a sentence: "2 of 2 slots are taken"
  std::vector<RunId> ahead;  // who has what the run waits for, and who waits for the same before it
  bool in_vain = false;      // it needs more than there is for all together
  friend bool operator==(const SlotAwaited&, const SlotAwaited&) = default;
};
using SlotAnswer = std::variant<SlotGranted, SlotAwaited>;

// Pure. First in, first out among equal priorities: a run is given its slot only when everybody before it in its line
// would be given one too, so a run that needs many GPUs is not overtaken for ever by those that need few. One that waits in
// vain is in nobody's way.
// REQUIRES: `mine` waits or holds; the ticket of its run among `tickets`, if any, is not looked at.
SlotAnswer decide_slot(const std::vector<Ticket>& tickets, const Ticket& mine, const Slots& slots);

}  // namespace trainyard
