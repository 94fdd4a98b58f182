// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_engine.hpp"

#include <array>

#include "runner/core/run_plan.hpp"
#include "runner/engine/data_resolution.hpp"
#include "runner/engine/package_exchange.hpp"
#include "runner/engine/python_choice.hpp"
#include "runner/engine/run_driver.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

RunId new_run_id(Instant now) {
  std::array<std::uint8_t, 10> random;
  fill_random(random);
  return RunId::from(now, random);
}

// What a process left that died while it made the folder: nothing was promised to anybody.
Result<void> discard(const RunFolder& folder, RunFolders::Lease lease) {
  TRY(remove_tree(folder.path()));
  return lease.finish();
}

// None when there was nothing to end, or the run lives.
Result<std::optional<RunReport>> recover_run(const RunId& run, const RunFolders& folders, RunPorts& ports) {
  auto lease = TRY(folders.take_over(run));
  if (!lease) return std::optional<RunReport>();
  const RunFolder folder = folders.folder(run);
  if (is_there(folder.results())) {
    // Their writer may have come no further than to give them their name.
    TRY(sync_folder(folder.path()));
    TRY(lease->finish());
    return std::optional<RunReport>();
  }
  if (TRY(RunFolder::lines(folder.journal())).empty()) {
    TRY(discard(folder, std::move(*lease)));
    return std::optional<RunReport>();
  }
  auto driver = TRY(RunDriver::resume(ports, folder, std::move(*lease)));
  if (TRY(driver.job_is_running())) return std::optional<RunReport>();
  return std::optional(TRY(driver.drive()));
}

}  // namespace

Result<RunReport> run(const RunRequest& request, RunPorts& ports) {
  const Store& store = ports.store;
  RunRequest resolved = request;
  const PackageRegistry registry(store.packages(), store.scratch());
  const VersionRecord parent = TRY(registry.find(request.package));
  resolved.package.version = parent.version;
  const Tree content = TRY(load_tree(parent.content.tree.digest, store.objects()));
  const Manifest manifest = TRY(manifest_of(parent, content, store.objects()));
  TRY(choose_python(resolved, manifest, ports));
  // What can be refused without the data is refused before it is read, which may take long.
  TRY(plan_run(resolved, RunData(), parent, manifest, new_run_id(ports.now()), ports.now()));
  if (resolved.python) TRY(check_requirements(resolved, parent, content, ports));
  const ResolvedData data = TRY(resolve_data(request.dataset, ports));
  resolved.dataset = data.dataset;
  RunData sources{data.source, std::nullopt};
  if (request.evaluation_dataset) {
    const ResolvedData evaluation = TRY(resolve_data(*request.evaluation_dataset, ports));
    resolved.evaluation_dataset = evaluation.dataset;
    sources.evaluation = evaluation.source;
  }
  const RunFolders folders(store.runs(), store.active());
  for (;;) {
    const Instant now = ports.now();
    RunPlan plan = TRY(plan_run(resolved, sources, parent, manifest, new_run_id(now), now));
    auto lease = TRY(folders.begin(plan.run));
    if (!lease) continue;
    RunFolder folder = folders.folder(plan.run);
    TRY(publish_file(store.scratch(), folder.plan(), readable(to_json(plan)), 0444, Durable::no));
    RunDriver driver = TRY(RunDriver::begin(ports, std::move(plan), std::move(folder), std::move(*lease)));
    ports.observer.began(driver.plan());
    return driver.drive();
  }
}

Result<std::vector<Result<RunReport>>> recover_runs(RunPorts& ports) {
  std::vector<Result<RunReport>> reports;
  const RunFolders folders(ports.store.runs(), ports.store.active());
  for (const RunId& run : TRY(folders.active())) {
    auto report = recover_run(run, folders, ports);
    if (!report.ok())
      reports.emplace_back(
          within("the run " + run.text() + " was left unfinished and cannot be ended", report.error()));
    if (report.ok() && *report) reports.emplace_back(std::move(**report));
  }
  return reports;
}

}  // namespace trainyard
