// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/slots.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// The lines in which the runs of a store wait for their slots: the folder queue/ of the store, one empty file for each
// ticket. There is nobody who serves them: each run that waits asks again until it is its turn, and looks after those
// that died before it. Every process that drives a run may use it.
class RunQueue {
 public:
  explicit RunQueue(RunPorts& ports) : ports_(&ports) {}

  // Looks whether those before the run still live, which disturbs them a little, and gives the slots of dead ones on.
  enum class Care { no, yes };

  // The slot of a run, or why it has to wait; then it is in line, and keeps its place. One that holds a slot keeps it.
  Result<SlotAnswer> ask(const RunPlan& plan, Care care);
  // Gives the slot back, or leaves the line. Fine when the run has no ticket.
  Result<void> leave(const RunId& run);

 private:
  [[nodiscard]] Path folder() const { return ports_->store.queue(); }
  Result<void> put(const Ticket& ticket, const std::optional<Ticket>& before);
  // Driven by somebody, or its job goes on without; left by whoever drove it; or over, and then it needs no ticket.
  enum class Life { living, left, over };
  [[nodiscard]] Life life_of(const RunId& run);

  RunPorts* ports_;
};

// What a run that is in line waits for now, without asking for it.
Result<SlotAnswer> look_at_line(const RunPlan& plan, const Store& store, const Machine& machine);

// What the runs of a store may use: what somebody decided, else a slot for each core, and all GPUs.
Slots slots_of(const StoreConfig& config, const Machine& machine);
// The machine with no more GPUs than the store's runs may use.
Machine within_limits(const StoreConfig& config, Machine machine);

}  // namespace trainyard
