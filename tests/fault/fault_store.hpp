// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/processes/process.hpp"
#include "storage/values/json.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// What the n-th call that changes the disk or starts a program meets; see fault_point.c.
struct Fault {
  enum class Mode { kill, kill_after, tear, fail, fail_on, cut, pause };
  enum class In { trainyard, supervisor };

  std::size_t at = 0;  // from 1
  Mode mode = Mode::kill;
  int error_number = EIO;       // for the modes that fail
  In in = In::trainyard;        // whose calls count
  std::string victims = "s";    // of Mode::kill
  std::string clock_file = {};  // once it is there, the clock is `clock_seconds` away
  long clock_seconds = 0;
  unsigned lost = 0;  // of Mode::cut
};

// How a command went.
struct CommandEnd {
  std::optional<int> code;
  std::optional<int> signal;
  std::string out;
  std::string err;
  std::vector<std::string> calls;  // "<number> <call> <path>", in order; up to its death

  // Whether it came to the call of that number. Threads may list their calls in another order.
  [[nodiscard]] bool reached(std::size_t at) const;
  // All that one wants to read when a test fails.
  [[nodiscard]] std::string story() const;
};

// A folder for one store, gone at the end with everything that still runs in it, and the program trainyard upon it.
class FaultStore {
 public:
  FaultStore() = default;
  // The same content in another place. No command may be at work there.
  explicit FaultStore(const FaultStore& other);
  FaultStore& operator=(const FaultStore&) = delete;
  ~FaultStore();

  // A store with counts@1.0, slow@1.0, tries@1.0 and faulty@1.0 that never saw a run.
  static const FaultStore& fresh();
  // A small folder with files, an empty file, a folder and an empty folder. Outside of every store.
  static const Path& dataset();
  static Path package(const std::string& name);

  [[nodiscard]] const Path& root() const { return root_; }

  // From now on its commands are those of a user who owns nothing. Says so where that cannot be, for ctest to count the test
  // as skipped.
  bool run_as_nobody();
  // Gives all of it to that user, or to this process's own.
  void give_to_nobody() const;
  void take_back() const;

  // Runs `trainyard <words> --store <this>` to its end.
  CommandEnd run(const std::vector<std::string>& words, const std::optional<Fault>& fault = std::nullopt) const;
  // The same without waiting for its end; what it prints goes to the file `told`.
  [[nodiscard]] Process start(const std::vector<std::string>& words, const Path& told,
                              const std::optional<Fault>& fault = std::nullopt) const;
  CommandEnd train(const std::optional<Fault>& fault = std::nullopt) const;
  // The answer of `runs list --json`, which is a next command like any other. Throws when it is none.
  [[nodiscard]] Json list_runs() const;

  // The processes that have this store in their command line, or work in a folder of it.
  [[nodiscard]] std::vector<pid_t> processes() const;
  // Returns when there is none of them any more. Throws after 20 s.
  void wait_until_quiet() const;

  // The last state that the journal of the only run tells of; "none" when no run began.
  [[nodiscard]] std::string last_state() const;

 private:
  [[nodiscard]] std::vector<std::string> argv_of(const std::vector<std::string>& words) const;
  [[nodiscard]] std::map<std::string, std::string> environment(const std::optional<Fault>& fault) const;

  TempFolder folder_;
  Path root_ = folder_.path() / "store";
  std::vector<std::string> prefix_;  // of every command
};

}  // namespace trainyard
