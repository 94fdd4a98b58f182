// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// What the file of a package's library tells without being loaded: no code of it runs here, also not that of
// constructors. Every number in the file is taken as hostile.
struct NativeLibrary {
  std::string name;  // of the file, for errors
  PackageAbi abi;
  std::vector<std::string> needed;     // the shared libraries it asks for
  std::vector<std::string> run_paths;  // where else it looks for them, e.g. "$ORIGIN"
};

// Refuses, as `invalid`, what is no ELF shared library, does not export a well-formed trainyard_package_v1, or has
// `train` without `save` or the reverse; as `incompatible` what was built for another machine than this build of
// Trainyard. The verbs are those whose entry in the table will not be null once the library is loaded.
Result<NativeLibrary> read_native_library(const Path& library);

// That the dynamic loader would find every needed library: in the package's root folder `folder`, where a run path that
// begins with $ORIGIN leads to it, or among the system's (/etc/ld.so.conf and the standard folders). Other run paths
// are taken as not there, because they mean the machine that built the package. A needed library inside the package
// must find its own in the same way. `invalid`, naming the library and what it needs.
Result<void> check_needed(const NativeLibrary& library, const Path& folder);

}  // namespace trainyard
