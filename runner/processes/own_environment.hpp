// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "storage/values/result.hpp"

namespace trainyard {

inline constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";

// The variables of this process.
std::map<std::string, std::string> own_environment();

// The absolute path of a program in one of the absolute folders of `path`, which is as the variable PATH. `not_found` names
// both.
Result<std::string> find_program(const std::string& name, const std::string& path);

}  // namespace trainyard
