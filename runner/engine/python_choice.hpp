// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/run_request.hpp"
#include "runner/engine/run_ports.hpp"
#include "storage/values/manifest.hpp"
#include "storage/values/tree.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// Fills in the interpreter of a request for a Python package: that of the request itself, the manifest, the store's
// config, or the system's; never whatever comes first on somebody's PATH. Nothing to do for a native package.
Result<void> choose_python(RunRequest& request, const Manifest& manifest, RunPorts& ports);

// Holds what the package asks for against what the chosen interpreter has: what is missing is refused now, by name; the
// wrong version of something may do, so it is only told. Nothing to do when a virtual environment will have it.
Result<void> check_requirements(const RunRequest& request, const VersionRecord& version, const Tree& content,
                                RunPorts& ports);

}  // namespace trainyard
