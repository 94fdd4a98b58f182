// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/fault/fault_store.hpp"

// The processes of a run, and their deaths.
namespace trainyard {

// All of a file; empty when it is not there.
std::string content(const Path& file);

// Asks every few milliseconds. Throws after 20 s.
void wait_for(const char* what, const std::function<bool()>& condition);

// SIGKILL. Returns when it is dead indeed: until then it holds its locks, and is found running. One that is dead already is
// fine.
void kill_and_wait(pid_t pid);

// Whether SIGSTOP has taken hold of it.
bool is_paused(pid_t pid);

// Of the only job of a store: its supervisor and those below it that bear a name of ours.
struct JobProcesses {
  std::optional<pid_t> supervisor;
  std::optional<pid_t> init;
  std::optional<pid_t> inner;
};
JobProcesses job_processes(const FaultStore& store);

// The folder of the only run of a store; one that is not there when there is none.
Path only_run(const FaultStore& store);
// Whether the package of its last attempt has been called.
bool is_called(const FaultStore& store);

}  // namespace trainyard
