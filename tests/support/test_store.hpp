// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/processes/run_program.hpp"
#include "storage/values/json.hpp"
#include "tests/support/temp_folder.hpp"

// For tests: a store of its own, and the programs as a user runs them. What only prepares a test and fails throws,
// which ends the test.
namespace trainyard {

using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

Json read_json(const Path& file);
// Each line of a file of JSON lines; none when the file is not there.
std::vector<Json> read_json_lines(const Path& file);
std::string read_text(const Path& file);

// Asks every few milliseconds; false when it never came true within a time that is long on any machine.
bool wait_until(const std::function<bool()>& condition);

// A program that goes on while the test does. Killed at the end of its scope.
class RunningProgram {
 public:
  RunningProgram(const Path& scratch, const Arguments& argv, const Variables& environment);

  void signal(int number);
  [[nodiscard]] bool has_ended();
  // Its exit status and all that it printed, once it has ended.
  ProgramOutput wait();

 private:
  Path out_;
  Path err_;
  std::optional<Process> process_;
};

// A run that is over, as its files tell of it.
struct EndedRun {
  ProgramOutput output;
  Path folder;
  Json results;

  [[nodiscard]] const Json& traceability() const { return results.at("traceability"); }
  [[nodiscard]] std::string status() const { return traceability().at("status").get<std::string>(); }
  [[nodiscard]] std::string reason() const { return traceability().at("reason").get<std::string>(); }
  // Empty when it has none.
  [[nodiscard]] std::string message() const;
  // The version that it made, or "".
  [[nodiscard]] std::string version() const;
};

class TestStore {
 public:
  TestStore();

  [[nodiscard]] const TempFolder& temp() const { return temp_; }
  [[nodiscard]] const Path& root() const { return root_; }

  // `trainyard` with these arguments, with the store and nothing else of this process in its environment.
  [[nodiscard]] ProgramOutput run(const Arguments& arguments, const Variables& variables = {}) const;
  [[nodiscard]] RunningProgram start(const Arguments& arguments, const Variables& variables = {}) const;
  // Must succeed; its standard output.
  std::string must(const Arguments& arguments) const;
  // The same with --json, which must be one document.
  [[nodiscard]] Json json(Arguments arguments) const;

  // Uploads <name>.zip of the packages for tests.
  void add(const std::string& name) const;
  // Runs a training to its end, under a name of its own.
  EndedRun train(const std::string& package, const Path& dataset, const Arguments& more = {});
  // The same for any type of run.
  EndedRun carry_out(const std::string& type, const std::string& package, const Path& dataset,
                     const Arguments& more = {});
  // A training in two halves; the name is the caller's.
  [[nodiscard]] RunningProgram start_training(const std::string& name, const std::string& package, const Path& dataset,
                                              const Arguments& more = {}) const;
  [[nodiscard]] EndedRun end(const std::string& name, ProgramOutput output) const;

  // By the run's name; none when it has not begun.
  [[nodiscard]] std::optional<Path> run_folder(const std::string& name) const;
  // The run's package has been called.
  void wait_for_the_call(const std::string& name) const;
  // Versions of a package, in order.
  [[nodiscard]] std::vector<std::string> versions(const std::string& package) const;

  // What is wrong with the documents of all runs against their schemas; empty when nothing is.
  [[nodiscard]] std::string schema_mistakes() const;
  // What is left of runs that are over; empty when nothing is.
  [[nodiscard]] std::string leftovers() const;

 private:
  [[nodiscard]] Variables environment(const Variables& variables) const;

  TempFolder temp_;
  Path root_;
  int trained_ = 0;
};

// The commands of the first block of shell in a section of the README, without "trainyard" and without what is said beside
// them; "./data/training" is `data`.
std::vector<Arguments> readme_commands(const Path& readme, const std::string& section, const std::string& data);

// The packages for tests as the build made them: `counts` is a folder, `counts.zip` its zip.
Path test_package(const std::string& file);
// Beside the arguments of a run whose package crashes on purpose: under a sanitizer it has to crash as it would
// without.
Arguments crash_plainly();

}  // namespace trainyard
