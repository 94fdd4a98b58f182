// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/run_processes.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "runner/processes/process_identity.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::seconds kLong{20};

Path proc(pid_t pid) { return Path("/proc") / std::to_string(pid); }

void find_below(pid_t pid, JobProcesses& found) {
  const auto threads = list_folder(proc(pid) / "task");
  if (!threads.ok()) return;
  for (const std::string& thread : *threads) {
    std::istringstream children(content(proc(pid) / "task" / thread / "children"));
    for (pid_t child = 0; children >> child;) {
      const std::string name = content(proc(child) / "comm");
      if (name == "trainyard-inner\n") found.inner = child;
      if (name == "trainyard-init\n") found.init = child;
      find_below(child, found);
    }
  }
}

}  // namespace

std::string content(const Path& file) {
  std::ifstream in(file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void wait_for(const char* what, const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error(std::string("in vain waited for ") + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void kill_and_wait(pid_t pid) {
  const auto identity = ProcessIdentity::of(pid);
  if (pid <= 1 || !identity.ok() || ::kill(pid, SIGKILL) != 0) return;
  wait_for("a process to die", [&] { return !is_running(*identity); });
}

bool is_paused(pid_t pid) { return content(proc(pid) / "status").find("State:\tT") != std::string::npos; }

JobProcesses job_processes(const FaultStore& store) {
  JobProcesses found;
  for (const pid_t pid : store.processes()) {
    if (content(proc(pid) / "comm") == "trainyard-super\n") found.supervisor = pid;
  }
  if (found.supervisor) find_below(*found.supervisor, found);
  return found;
}

Path only_run(const FaultStore& store) {
  const auto runs = list_folder(store.root() / "runs");
  return store.root() / "runs" / (runs.ok() && !runs->empty() ? runs->front() : std::string("none"));
}

bool is_called(const FaultStore& store) {
  const RunFolder folder(only_run(store));
  const auto last = folder.last_attempt();
  return last.ok() && content(folder.attempt(*last) / "events.jsonl").find("\"called\"") != std::string::npos;
}

}  // namespace trainyard
