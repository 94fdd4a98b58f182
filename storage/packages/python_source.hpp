// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "storage/files/files.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// What the source of a Python package tells without being run.
struct PythonSource {
  std::set<Verb> verbs;
  std::string version;  // of the Python that read it, "3.11.2"
};

// Whoever can read Python. `invalid` says what is wrong with the source; `folder` is the package's root folder.
class PythonReader {
 public:
  PythonReader() = default;
  PythonReader(const PythonReader&) = delete;
  PythonReader& operator=(const PythonReader&) = delete;
  virtual ~PythonReader() = default;

  virtual Result<PythonSource> read(const Path& folder) = 0;
};

}  // namespace trainyard
