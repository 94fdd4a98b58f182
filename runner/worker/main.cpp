// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "runner/worker/exit_codes.hpp"
#include "runner/worker/isolation_probe.hpp"
#include "runner/worker/overlay_probe.hpp"
#include "runner/worker/plugin_run.hpp"
#include "runner/worker/supervisor.hpp"

// trainyard-worker is started by the programs of Trainyard; people use it only to look for a mistake.
int main(int argc, char** argv) {
  using namespace trainyard;
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "supervise" && argc == 3) return supervise(argv[2]);
  if (verb == "supervise-in-slurm" && argc == 3) return supervise_in_slurm(argv[2]);
  if (verb == "supervise-in-slurm-array" && argc == 3) return supervise_in_slurm_array(argv[2]);
  if (verb == "supervise-rank" && argc == 3) {
    const char* const task = std::getenv("SLURM_PROCID");
    if (task != nullptr) return supervise_rank(argv[2], std::atoi(task) + 1, 0);
  }
  if (verb == "supervise-rank" && argc == 5) return supervise_rank(argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  if (verb == "run" && (argc == 4 || argc == 5)) run_plugin(argv[2], argv[3], argc == 5 ? std::atoi(argv[4]) : 0);
  if (verb == "probe-isolation" && argc == 3) return run_isolation_probe(argv[2]);
  if (verb == "probe-overlay" && argc == 4) return run_overlay_probe(argv[2], argv[3]);
  std::fputs(
      "usage: trainyard-worker supervise RUN_FOLDER\n"
      "       trainyard-worker supervise-in-slurm RUN_FOLDER\n"
      "       trainyard-worker supervise-in-slurm-array FOLDERS_FILE\n"
      "       trainyard-worker supervise-rank RUN_FOLDER [RANK PARENT_PID]\n"
      "       trainyard-worker run JOB_FILE EVENTS_FILE [SUPERVISOR_PID]\n"
      "       trainyard-worker probe-isolation SCRATCH\n"
      "       trainyard-worker probe-overlay LOWER SCRATCH\n",
      stderr);
  return kUsage;
}
