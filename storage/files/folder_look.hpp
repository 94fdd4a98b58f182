// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/files/files.hpp"

namespace trainyard {

// The look of a folder: another one means that a name was added or removed. Empty when it changed so lately that the next
// change could look the same.
Result<std::string> folder_look(const Path& folder);

}  // namespace trainyard
