// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_engine.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "runner/core/run_plan.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/engine/data_resolution.hpp"
#include "runner/engine/package_exchange.hpp"
#include "runner/engine/python_choice.hpp"
#include "runner/engine/repeat_guard.hpp"
#include "runner/engine/run_driver.hpp"
#include "runner/engine/run_events.hpp"
#include "runner/engine/run_queue.hpp"
#include "runner/executors/isolation_facts.hpp"
#include "storage/packages/registry.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

constexpr int kLooks = 20;
constexpr std::chrono::milliseconds kBetweenLooks{10};

RunId new_run_id(Instant now) {
  std::array<std::uint8_t, 10> random;
  fill_random(random);
  return RunId::from(now, random);
}

// After those of all runs that are not over, whoever has set the clock since they began: who waits keeps its place.
Result<RunId> next_run_id(Instant now, const RunFolders& folders) {
  constexpr std::int64_t kMicrosecondsApart = 1000;
  for (const RunId& run : TRY(folders.active()))
    now = std::max(now, Instant{run.began().microseconds + kMicrosecondsApart});
  return new_run_id(now);
}

// What a process left that died while it made the folder: nothing was promised to anybody.
Result<void> discard(const RunFolder& folder, RunFolders::Lease lease) {
  TRY(remove_tree(folder.path()));
  return lease.finish();
}

// A run that nobody drives and that is not over; none when there is nothing to drive.
Result<std::optional<RunDriver>> left_run(const RunId& run, RunPorts& ports) {
  const RunFolders folders(ports.store.runs(), ports.store.active());
  auto lease = TRY(folders.take_over(run));
  if (!lease) return std::optional<RunDriver>();
  const RunFolder folder = folders.folder(run);
  if (is_there(folder.results())) {
    // Their writer may have come no further than to give them their name, and a power cut may have brought back what it had
    // removed before.
    for (const Path& workspace : TRY(folder.workspaces())) TRY(remove_tree(workspace));
    TRY(sync_folder(folder.path()));
    TRY(RunQueue(ports).leave(run));
    if (const auto attested = attest_run(folder, ports.store); !attested.ok())
      ports.observer.noticed("what the run " + run.text() + " made is not attested: " + attested.error().message);
    note_events(run, ports.store);
    TRY(lease->finish());
    return std::optional<RunDriver>();
  }
  if (TRY(RunFolder::lines(folder.journal())).empty()) {
    TRY(RunQueue(ports).leave(run));
    TRY(discard(folder, std::move(*lease)));
    return std::optional<RunDriver>();
  }
  return std::optional(TRY(RunDriver::resume(ports, folder, std::move(*lease))));
}

Result<void> recover_run(const RunId& run, RunPorts& ports, RecoveredRuns& recovered) {
  auto driver = TRY(left_run(run, ports));
  if (!driver || TRY(driver->job_is_running())) return {};
  auto report = TRY(driver->drive_to_next_job());
  if (report) {
    recovered.ended.emplace_back(std::move(*report));
  } else {
    recovered.waiting.push_back(driver->plan());
  }
  return {};
}

// What may be recorded of the secrets of a request.
Result<std::map<std::string, SaltedDigest>> digests_of(const RunRequest& request, const Secrets& secrets) {
  std::map<std::string, SaltedDigest> digests;
  for (const std::string& name : request.secrets) {
    const auto secret = secrets.find(name);
    if (secret == secrets.end()) {
      return fail(Errc::invalid, "the run needs the secret " + name + "; give it with --secret " + name +
                                     ", or with --secret " + name + "=FILE");
    }
    SaltedDigest::Salt salt{};
    fill_random(salt);
    auto digest = TRY(SaltedDigest::of(secret->second, salt));
    digests.emplace(name, std::move(digest));
  }
  return digests;
}

// Finds the data of a request, and puts into it what was meant.
Result<RunData> find_data(RunRequest& request, RunPorts& ports) {
  const ResolvedData data = TRY(resolve_data(request.dataset, ports));
  request.dataset = data.dataset;
  RunData sources{data.source, std::nullopt};
  if (request.evaluation_dataset) {
    const ResolvedData evaluation = TRY(resolve_data(*request.evaluation_dataset, ports));
    request.evaluation_dataset = evaluation.dataset;
    sources.evaluation = evaluation.source;
  }
  return sources;
}

// What is known of a request before its data is read.
struct Settled {
  RunRequest request;  // with what it left open
  VersionRecord parent;
  Tree content;
  Manifest manifest;
  Machine machine;

  [[nodiscard]] Result<RunPlan> plan(const RunRequest& like, RunPorts& ports) const {
    return plan_run(like, RunData(), parent, manifest, machine, new_run_id(ports.now()), ports.now());
  }
};

Result<Settled> settle(const RunRequest& request, RunPorts& ports) {
  const Store& store = ports.store;
  RunRequest resolved = request;
  const PackageRegistry registry(store.packages(), store.journal());
  VersionRecord parent = TRY(registry.find(request.package));
  resolved.package.version = parent.version;
  Tree content = TRY(load_tree(parent.content.tree.digest, store.objects()));
  Manifest manifest = TRY(manifest_of(parent, content, store.objects()));
  TRY(choose_python(resolved, manifest, ports));
  const StoreConfig config = TRY(store.config());
  TRY(resolve_placement(resolved, config.executor, config.plans));
  Machine machine = within_limits(config, ports.machine);
  return Settled{std::move(resolved), std::move(parent), std::move(content), std::move(manifest), std::move(machine)};
}

// What is refused now, so that no run has to fail of it.
Result<void> check_ready(const Settled& settled, RunPorts& ports) {
  if (settled.request.isolation.mode == IsolationMode::strict && !runs_in_slurm(settled.request)) {
    const IsolationFacts facts = TRY(probe_isolation(ports.worker_program, ports.store.scratch()));
    TRY(plan_isolation(settled.request.isolation, facts));
  }
  if (settled.request.python) TRY(check_requirements(settled.request, settled.parent, settled.content, ports));
  return {};
}

Result<RunReport> plan_and_drive(const RunRequest& request, const RunData* found, RunPorts& ports) {
  const Store& store = ports.store;
  Settled settled = TRY(settle(request, ports));
  // What can be refused without the data is refused before it is read, which may take long.
  TRY(settled.plan(settled.request, ports));
  RunRequest& resolved = settled.request;
  const auto secrets = TRY(digests_of(resolved, ports.secrets));
  TRY(check_ready(settled, ports));
  const RunData sources = found != nullptr ? *found : TRY(find_data(resolved, ports));
  const RunFolders folders(store.runs(), store.active());
  for (;;) {
    const Instant now = ports.now();
    RunPlan plan = TRY(plan_run(resolved, sources, settled.parent, settled.manifest, settled.machine,
                                TRY(next_run_id(now, folders)), now));
    plan.secrets = secrets;
    TRY(refuse_repeat(plan, ports));
    auto lease = TRY(folders.begin(plan.run));
    if (!lease) continue;
    RunFolder folder = folders.folder(plan.run);
    TRY(publish_file(store.scratch(), folder.plan(), readable(to_json(plan)), 0444, Durable::yes));
    RunDriver driver = TRY(RunDriver::begin(ports, std::move(plan), std::move(folder), std::move(*lease)));
    ports.observer.began(driver.plan());
    return driver.drive();
  }
}

}  // namespace

Result<void> plan_before_data(const RunRequest& request, const std::vector<RunVariation>& variations, RunPorts& ports,
                              const std::function<Result<void>(const RunPlan&)>& each) {
  Settled settled = TRY(settle(request, ports));
  TRY(check_ready(settled, ports));
  TRY(digests_of(request, ports.secrets));
  RunRequest varied = settled.request;
  for (const RunVariation& variation : variations) {
    varied.environment = settled.request.environment;
    for (const auto& [name, value] : variation) varied.environment[name] = value;
    TRY(each(TRY(settled.plan(varied, ports))));
  }
  return {};
}

Result<RunReport> run(const RunRequest& request, RunPorts& ports) { return plan_and_drive(request, nullptr, ports); }

Result<RunReport> run_on(const RunData& data, const RunRequest& request, RunPorts& ports) {
  return plan_and_drive(request, &data, ports);
}

Result<RecoveredRuns> recover_runs(RunPorts& ports) {
  RecoveredRuns recovered;
  for (const RunId& run : TRY(RunFolders(ports.store.runs(), ports.store.active()).active())) {
    const auto done = recover_run(run, ports, recovered);
    if (!done.ok())
      recovered.ended.emplace_back(
          within("the run " + run.text() + " was left unfinished and cannot be ended", done.error()));
  }
  return recovered;
}

Result<std::optional<RunReport>> go_on(const RunId& run, RunPorts& ports) {
  auto driver = TRY(left_run(run, ports));
  // Who only looked whether the run lives lets go of it at once.
  for (int look = 0; !driver && look < kLooks; ++look) {
    std::this_thread::sleep_for(kBetweenLooks);
    driver = TRY(left_run(run, ports));
  }
  if (!driver) return std::optional<RunReport>();
  ports.observer.began(driver->plan());
  return std::optional(TRY(driver->drive()));
}

}  // namespace trainyard
