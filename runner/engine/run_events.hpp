// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/outbox/event_outbox.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// The outbox of a store for those who gather lineage (OpenLineage).
EventOutbox event_outbox(const Store& store);

// Puts what a run tells that is over into the outbox, where somebody wants it. Its results are there; the run is still among
// the active, so nothing is delivered before this process says that it is over. Can be repeated until then. That nobody
// hears of a run is no trouble of the run, so nothing comes of an error.
void note_events(const RunId& run, const Store& store);

// Delivers what waits, for two seconds at most, and not at all within a minute after a delivery failed. Says nothing: the
// user asked for a run.
void deliver_events_in_passing(const Store& store, Instant now);

// Delivers what waits. `invalid` when nobody wants it.
Result<Delivery> deliver_events(const Store& store, Instant now);

}  // namespace trainyard
