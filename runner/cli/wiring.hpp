// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/cli/command.hpp"
#include "runner/core/run_results.hpp"
#include "runner/engine/reproducing.hpp"
#include "runner/engine/run_ports.hpp"
#include "runner/engine/sweeping.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

// The only place that names concrete adapters and reads the environment.
namespace trainyard {

// --store, else TRAINYARD_STORE, else ~/.trainyard.
Result<Path> store_path(const Invocation& invocation);

// Opens the store and ends the runs that a dead process left behind, telling of each on stderr. Those that wait are gone on
// with in the background. REQUIRES: this process has one thread.
Result<Store> open_store(const Invocation& invocation);

// The version that "NAME", "NAME@VERSION" or "NAME@LABEL" means in the store.
Result<VersionRecord> find_version(const Store& store, const std::string& reference);

// Who works with this program: the login name of the process's user, or its number.
std::string user_name();

// The name of this machine.
std::string host_name();

// trainyard-worker, which lies beside this program.
Result<Path> worker_program();

// The folder with our own Python files, which is installed beside this program's; whether it is there is not looked at.
Result<Path> python_kit();

// Whether a run may do what another one has done already.
enum class Repeats { refuse, allow };

// Plans and drives one run on this machine.
Result<RunReport> run_here(const RunRequest& request, const Secrets& secrets, Repeats repeats, const Store& store,
                           RunObserver& observer);

// Does what made a version again on this machine.
Result<ReproductionEnd> reproduce_here(const PackageReference& version, double tolerance, const Secrets& secrets,
                                       const Store& store, RunObserver& observer);

// Refuses what any run of a sweep would be refused for, and pins what its request leaves open.
Result<void> settle_here(Sweep& sweep, const Secrets& secrets, const Store& store, RunObserver& observer);

// Makes the runs of a sweep on this machine. Starts threads.
Result<SweepEnd> sweep_here(const Sweep& sweep, const SweepWish& wish, const Secrets& secrets, const Store& store,
                            SweepObserver& observer);

// Stops a run of this machine, and waits until it is over.
Result<void> stop_here(const RunId& run, StopWish wish, const Store& store);

// What a job waits for that a cluster has and no machine yet; none when it does not wait any more.
Result<std::optional<std::string>> wait_in_cluster(const JobId& job, const Path& job_folder, const Store& store);

// Whether standard output is a terminal that shows more than ASCII.
bool draws_unicode();

void print(const std::string& text);
void print_json(const Json& json);
// "trainyard: …" on stderr.
void complain(const std::string& sentence);

}  // namespace trainyard
