// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/slurm_harm.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace trainyard::test {

JobLook HarmedCluster::end_of(const JobId& id, const TestJob& job) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  for (;;) {
    JobLook look = must(executor_->look(id, job.path()));
    if (!goes_on(look)) return look;
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the job does not end");
    static_cast<void>(::usleep(20'000));
  }
}

std::string HarmedCluster::wait_of(const JobId& id, const TestJob& job) {
  std::string reason;
  await([&] {
    const JobLook look = must(executor_->look(id, job.path()));
    if (const auto* const waiting = std::get_if<JobWaiting>(&look)) reason = waiting->reason;
    return reason.find("waits in Slurm") != std::string::npos;
  });
  return reason;
}

std::string command_line(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline");
  std::stringstream line;
  line << file.rdbuf();
  return line.str();
}

std::vector<pid_t> processes_with(const std::vector<std::string>& words) {
  std::vector<pid_t> found;
  for (const std::string& name : must(list_folder("/proc"))) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string line = command_line(std::stoi(name));
    const bool all = std::all_of(words.begin(), words.end(),
                                 [&](const std::string& word) { return line.find(word) != std::string::npos; });
    if (all) found.push_back(std::stoi(name));
  }
  return found;
}

pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("PPid:")) return std::stoi(line.substr(5));
  return 0;
}

bool any_alive(const TestJob& job) { return !processes_with({"trainyard-worker", job.path().string()}).empty(); }

}  // namespace trainyard::test
