// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_control.hpp"

#include <chrono>
#include <thread>

#include "runner/engine/run_driver.hpp"
#include "runner/engine/run_queue.hpp"
#include "runner/engine/run_stop.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::milliseconds kBetweenLooksAtRun{20};

RunFolders folders_of(const Store& store) { return {store.runs(), store.active()}; }

}  // namespace

Result<void> ask_run_to_stop(const RunId& run, StopWish wish, const Store& store) {
  const RunFolder folder = folders_of(store).folder(run);
  if (is_there(folder.results())) return fail(Errc::exists, "the run " + run.text() + " is over already");
  return ask_to_stop(folder, store.scratch(), wish);
}

Result<void> stop_run(const RunId& run, StopWish wish, RunPorts& ports) {
  TRY(ask_run_to_stop(run, wish, ports.store));
  const RunFolders folders = folders_of(ports.store);
  const RunFolder folder = folders.folder(run);
  for (;;) {
    if (auto lease = TRY(folders.take_over(run))) {
      if (is_there(folder.results())) {
        TRY(RunQueue(ports).leave(run));
        return lease->finish();
      }
      auto driver = TRY(RunDriver::resume(ports, folder, std::move(*lease)));
      TRY(driver.drive());
      return {};
    }
    if (is_there(folder.results())) return {};
    std::this_thread::sleep_for(kBetweenLooksAtRun);
  }
}

Result<void> delete_run(const RunId& run, const Store& store, Instant now) {
  const RunFolders folders = folders_of(store);
  const RunFolder folder = folders.folder(run);
  auto lease = TRY(folders.take_over(run));
  const bool over = is_there(folder.results());
  if (!lease || !over) {
    return fail(Errc::unavailable, "the run " + run.text() + " is not over; stop it first, with 'trainyard runs stop'");
  }
  const StoreJournal journal = store.journal();
  const RelPath results = TRY(results_path(run));
  TRY(journal.tell({StoreEvent::Action::run_deleted, now, run.text(), results}));
  const Path doomed = scratch_name(store.scratch(), "run");
  TRY(rename_path(folder.path(), doomed));
  TRY(sync_folder(store.runs()));
  TRY(lease->finish());
  return remove_tree(doomed);
}

}  // namespace trainyard
