// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// What runs a package's code: the worker, which loads its library, or a Python interpreter.
enum class Runtime { native, python };
std::string_view name_of(Runtime runtime);
Result<Runtime> parse_runtime(std::string_view text);

}  // namespace trainyard
