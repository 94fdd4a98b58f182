// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/wiring.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "runner/cli/detached.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/remote_wiring.hpp"
#include "runner/cli/run_outputs.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/version.hpp"
#include "runner/engine/run_control.hpp"
#include "runner/engine/run_engine.hpp"
#include "runner/executors/local_executor.hpp"
#include "runner/executors/local_machine.hpp"
#include "runner/executors/placed_executor.hpp"
#include "runner/executors/slurm_executor.hpp"
#include "runner/processes/clock.hpp"
#include "runner/processes/own_environment.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<RunPorts> ports_for(const Store& store, Executor& executor, const Path& worker, RunObserver& observer) {
  Path kit = TRY(python_kit());
  return RunPorts{store,       executor, worker, now, observer, std::move(kit), std::string("trainyard ") + kVersion,
                  host_name(), {},       {},     {},  open_keys};
}

// Runs of a sweep are staged at about the same time.
constexpr std::chrono::milliseconds kGathering{300};

SlurmSettings settings_of(const Path& worker, const Store& store, std::chrono::milliseconds gathering) {
  SlurmSettings settings;
  settings.worker = worker;
  settings.folder = store.root() / "slurm";
  settings.environment = own_environment();
  settings.gathering = gathering;
  return settings;
}

// All executors that there are.
struct Executors {
  // `gathering` is how long jobs wait for others to go to a cluster with them.
  Executors(const Path& worker, const Store& store, std::chrono::milliseconds gathering = {})
      : local(worker), slurm(settings_of(worker, store, gathering)), placed(local, slurm) {}

  LocalExecutor local;
  SlurmExecutor slurm;
  PlacedExecutor placed;
};

// Tells whoever waits for it that the run is driven.
class Beginning final : public RunObserver {
 public:
  explicit Beginning(const Begun& begun) : begun_(begun) {}
  void began(const RunPlan& plan) override { begun_(plan.run.text()); }

 private:
  const Begun& begun_;
};

// In a process of its own, which nobody has to keep alive.
Result<void> go_on_in_background(const RunId& run, const Path& root) {
  TRY(do_detached([&](const Begun& begun) -> Result<void> {
    const Store store = TRY(Store::open(root));
    const Path worker = TRY(worker_program());
    Executors executors(worker, store);
    Beginning observer(begun);
    RunPorts ports = TRY(ports_for(store, executors.placed, worker, observer));
    ports.machine = local_machine();
    const auto report = TRY(go_on(run, ports));
    // Somebody else may have the run by now.
    if (!report) begun("");
    if (report) send_outputs_of(report->plan, store);
    return {};
  }));
  return {};
}

Result<RecoveredRuns> recover(const Store& store) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  RunObserver nobody;
  RunPorts ports = TRY(ports_for(store, executors.placed, worker, nobody));
  return recover_runs(ports);
}

// REQUIRES: no store is open, whose threads a fork would cut off.
void go_on_with_waiting(const std::vector<RunPlan>& waiting, const Path& root) {
  for (const RunPlan& plan : waiting) {
    const auto going = go_on_in_background(plan.run, root);
    complain("the run " + plan.name.text() + ", whose runner ended while it waited, " +
             (going.ok() ? "goes on in the background" : "cannot go on: " + going.error().message));
  }
}

void tell_of_ended(const std::vector<Result<RunReport>>& ended) {
  for (const auto& report : ended) {
    if (!report.ok()) {
      complain(report.error().message);
    } else if (report->version) {
      complain("the run " + report->plan.name.text() + ", which its runner had left, ended as " +
               report->version->content.name.text() + "@" + report->version->version.text());
    } else {
      complain("the run " + report->plan.name.text() + ", which its runner had left, has ended without a version");
    }
    if (report.ok() && report->plan.request.output_remote)
      complain("what it left was not sent; '" + sending_command(report->plan) + "' does it");
  }
}

}  // namespace

Result<Path> store_path(const Invocation& invocation) {
  if (!invocation.store.empty()) return Path(invocation.store);
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  if (const std::string store = variable("TRAINYARD_STORE"); !store.empty()) return Path(store);
  if (const std::string home = variable("HOME"); !home.empty()) return Path(home) / ".trainyard";
  return fail(Errc::invalid, "no store is named: give --store DIR or set TRAINYARD_STORE");
}

Result<Store> open_store(const Invocation& invocation) {
  auto store = std::make_unique<Store>(TRY(Store::open(TRY(store_path(invocation)))));
  const RecoveredRuns recovered = TRY(recover(*store));
  tell_of_ended(recovered.ended);
  if (!recovered.waiting.empty()) {
    const Path root = store->root();
    store.reset();
    go_on_with_waiting(recovered.waiting, root);
    return Store::open(root);
  }
  return std::move(*store);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown");
}

std::string user_name() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return std::to_string(::geteuid());
}

Result<Path> worker_program() {
  const Path worker = TRY(real_path("/proc/self/exe")).parent_path() / "trainyard-worker";
  if (is_there(worker)) return worker;
  return fail(Errc::io, "the program '" + worker.string() + "' is missing; install Trainyard whole");
}

Result<Path> python_kit() {
  return TRY(real_path("/proc/self/exe")).parent_path().parent_path() / "share" / "trainyard" / "python";
}

Result<RunReport> run_here(const RunRequest& request, const Secrets& secrets, Repeats repeats, const Store& store,
                           RunObserver& observer) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  RunPorts ports = TRY(ports_for(store, executors.placed, worker, observer));
  ports.secrets = secrets;
  ports.machine = local_machine();
  if (repeats == Repeats::refuse)
    ports.finished_like = [&](const std::string& definition) { return find_runs_like(store, definition); };
  return run(request, ports);
}

Result<ReproductionEnd> reproduce_here(const PackageReference& version, double tolerance, const Secrets& secrets,
                                       const Store& store, RunObserver& observer) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  RunPorts ports = TRY(ports_for(store, executors.placed, worker, observer));
  ports.secrets = secrets;
  ports.machine = local_machine();
  return reproduce(version, tolerance, ports);
}

Result<void> settle_here(Sweep& sweep, const Secrets& secrets, const Store& store, RunObserver& observer) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  RunPorts ports = TRY(ports_for(store, executors.placed, worker, observer));
  ports.secrets = secrets;
  ports.machine = local_machine();
  return settle_sweep(sweep, ports);
}

Result<SweepEnd> sweep_here(const Sweep& sweep, const SweepWish& wish, const Secrets& secrets, const Store& store,
                            SweepObserver& observer) {
  const Path worker = TRY(worker_program());
  const Machine machine = local_machine();
  Executors executors(worker, store, kGathering);  // of all runs, and there until the last of them is over
  std::mutex sending;
  SweepPorts ports{store,
                   [&](const Store& own, RunObserver& watch) -> Result<RunPorts> {
                     RunPorts run_ports = TRY(ports_for(own, executors.placed, worker, watch));
                     run_ports.secrets = secrets;
                     run_ports.machine = machine;
                     if (sweep.repeats == Sweep::Repeats::refuse)
                       run_ports.finished_like = [&own](const std::string& definition) {
                         return find_runs_like(own, definition);
                       };
                     return run_ports;
                   },
                   find_sweep_runs,
                   [&](const RunPlan& plan, const Store& own) {
                     // One after another, since each has the line on the terminal for itself.
                     const std::lock_guard lock(sending);
                     send_outputs_of(plan, own);
                   },
                   observer};
  return make_runs(sweep, wish, ports);
}

Result<void> stop_here(const RunId& run, StopWish wish, const Store& store) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  RunObserver nobody;
  RunPorts ports = TRY(ports_for(store, executors.placed, worker, nobody));
  return stop_run(run, wish, ports);
}

Result<std::optional<std::string>> wait_in_cluster(const JobId& job, const Path& job_folder, const Store& store) {
  const Path worker = TRY(worker_program());
  Executors executors(worker, store);
  const JobLook look = TRY(executors.placed.look(job, job_folder));
  const auto* const waiting = std::get_if<JobWaiting>(&look);
  return waiting == nullptr ? std::nullopt : std::optional(waiting->reason);
}

bool draws_unicode() {
  if (::isatty(STDOUT_FILENO) != 1) return false;
  // The first one that is set decides (POSIX, Environment Variables).
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string locale = folded_case(value);
    return locale.ends_with("utf-8") || locale.ends_with("utf8");
  }
  return false;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const Json& json) { print(readable(json)); }

void complain(const std::string& sentence) {
  const std::string line = "trainyard: " + printable(sentence) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Result<VersionRecord> find_version(const Store& store, const std::string& reference) {
  return PackageRegistry(store.packages(), store.journal()).find(TRY(PackageReference::parse(reference)));
}

}  // namespace trainyard
