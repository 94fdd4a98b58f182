// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "tests/support/test_store.hpp"

namespace trainyard {

// Sixty-four runs at a time over eight packages, for as long as one likes, while others stop, kill, delete and collect. All
// that chance chooses follows from one seed; what the machine makes of it does not.
class Soak {
 public:
  Soak();

  // Disturbs for so long, then lets the last runs come to their ends.
  void go(std::chrono::seconds time);

  // One sentence for everything that should not be. Empty when all is well.
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  // How many times each thing was done, for people.
  [[nodiscard]] std::string tally() const;

  [[nodiscard]] const TestStore& store() const { return store_; }
  // The versions that a runner said its run had made: "counts@1.1".
  [[nodiscard]] const std::set<std::string>& told() const { return told_; }
  // Asks whether processes of the store are left.
  [[nodiscard]] std::vector<pid_t> processes(const std::string& named = "") const;

 private:
  struct Running {
    std::string what;  // for people
    std::string name;  // of the run; empty for another command
    std::unique_ptr<RunningProgram> program;
    bool killed = false;
  };

  void start_run();
  void start_command();
  void kill_somebody();
  void reap(std::deque<Running>& running);
  void judge(const Running& ended, const ProgramOutput& output);
  void come_to_an_end();
  Arguments command();
  Arguments arguments_of_run(const std::string& name);
  std::string any_version();
  std::string any_ended_run();
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

  TestStore store_;
  std::mt19937 random_{20'260'101};  // NOLINT(cert-msc51-cpp): the same choices every time
  std::deque<Running> runs_;
  std::deque<Running> commands_;
  std::deque<std::string> ended_;  // names of runs whose runner is gone, the last few
  std::vector<std::string> wrong_;
  std::set<std::string> told_;
  std::map<std::string, int> done_;
  int number_ = 0;
};

// What is wrong with the store after it: one sentence for each thing.
std::vector<std::string> broken_after(const Soak& soak);

}  // namespace trainyard
