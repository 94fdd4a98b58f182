// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runner/processes/run_program.hpp"
#include "storage/values/json.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// A run that is over.
struct PersonsRun {
  ProgramOutput output;
  Path folder;
  Json results;

  [[nodiscard]] std::string reason() const { return results.at("traceability").at("reason").get<std::string>(); }
  [[nodiscard]] std::string message() const;
  [[nodiscard]] const Json& attempt() const { return results.at("traceability").at("attempts").at(0); }
};

// Somebody with a store, a home folder and a copy of the programs of their own: the user of the test, or, where that is
// root, an ordinary user.
class Person {
 public:
  enum class Kind { myself, ordinary };
  static bool can_be(Kind kind);

  explicit Person(Kind kind) : Person(kind, "") {}
  // With the store on a file system in memory of its own, as tmpfs(5) takes its options; none where that cannot be mounted.
  static std::unique_ptr<Person> with_small_store(const std::string& options);
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  ~Person();

  [[nodiscard]] const TempFolder& temp() const { return temp_; }
  [[nodiscard]] Path store() const { return temp_.path() / "store"; }
  [[nodiscard]] Path home() const { return temp_.path() / "home"; }
  [[nodiscard]] Path data() const { return temp_.path() / "data"; }
  // A file that nobody else may read.
  Path own_file(const std::string& relative, const std::string& text) const;

  // Any program, as that person.
  [[nodiscard]] SpawnOptions spawning(std::vector<std::string> argv) const;
  [[nodiscard]] ProgramOutput trainyard(const std::vector<std::string>& arguments) const;
  void must(const std::vector<std::string>& arguments) const;
  // Trains a package for tests on data(), to its end.
  PersonsRun train(const std::string& package, const std::vector<std::string>& more);

 private:
  Person(Kind kind, const std::string& mounted);
  void give_away(const Path& path) const;

  Kind kind_;
  TempFolder temp_;
  bool mounted_ = false;
  int runs_ = 0;
};

}  // namespace trainyard
