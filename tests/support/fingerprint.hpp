// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "storage/files/files.hpp"

namespace trainyard {

// Everything below a folder by its relative path ("." is the folder itself): what it is, its permissions, its owner,
// when it was changed (to the nanosecond), and its bytes. For tests; an operation that fails throws.
using Fingerprint = std::map<std::string, std::string>;
Fingerprint fingerprint(const Path& folder);

// One line for each path that only one of the two has or that differs; empty when nothing does.
std::string difference(const Fingerprint& before, const Fingerprint& after);

// Names and bytes of the files alone.
std::map<std::string, std::string> contents(const Path& folder);

}  // namespace trainyard
