// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/packages/python_source.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What a package's requirements.txt and train_requirements.txt ask for, held against what a Python has.
struct Requirements {
  struct Missing {
    std::string requirement;  // as it is written
    std::string file;
    std::int64_t line = 0;
  };
  struct Different {
    std::string requirement;
    std::string installed;  // the version
  };
  std::vector<Missing> missing;
  std::vector<Different> different;  // there, but not in a version that is asked for
};

// One Python of this machine, asked what only it can tell. No code of a package runs: each question is a process of its
// own, isolated (-I) and without byte code (-B), with the environment that we give it.
class PythonInterpreter final : public PythonReader {
 public:
  // `program` is an absolute path; `kit` is the folder with our own Python files.
  PythonInterpreter(Path program, Path kit) : program_(std::move(program)), kit_(std::move(kit)) {}

  [[nodiscard]] const Path& program() const { return program_; }
  // The inner half of the worker for Python packages.
  [[nodiscard]] Path worker() const { return kit_ / "trainyard_worker.py"; }

  // Whether both are there. Who never runs a Python package needs neither.
  [[nodiscard]] Result<void> check() const;

  Result<PythonSource> read(const Path& folder) override;
  Result<Requirements> requirements(const Path& folder);

 private:
  [[nodiscard]] Path inspector() const { return kit_ / "trainyard_inspect.py"; }
  Result<Json> ask(const char* question, const Path& folder);

  Path program_;
  Path kit_;
};

// The folders that a Python needs to run and that are not the system's: those it is installed in, those of the Python that a virtual
// environment was made of (PEP 405), and `kit`. Nothing is executed.
Result<std::vector<std::string>> folders_of_python(const Path& program, const Path& kit);

// `not_found` when there is no such program, `invalid` when it cannot be executed.
Result<void> check_interpreter(const Path& program);

}  // namespace trainyard
