// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "storage/files/files.hpp"
#include "storage/packages/python_source.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

struct CheckedPackage {
  Manifest manifest;
  PackageAbi abi;
};

// Whether an unpacked folder is a package that this Trainyard can run. Static: no code of the package runs. The first
// mistake is the error: `invalid`, or `incompatible` for a package that is made for another kind of Trainyard or machine.
//
// A native package has a valid manifest; the library that it names lies beside it, is built for this machine, exports
// the entry and finds the libraries it needs. A Python package has a train.py or a main.py with a class Main, and may have
// a manifest that says so; without one it is called `name`, which is then wanted. In both the verbs are those that the
// manifest promises, and neither train nor save is there alone.
Result<CheckedPackage> check_package(const Path& folder, PythonReader& python,
                                     const std::optional<std::string>& name = std::nullopt);

}  // namespace trainyard
