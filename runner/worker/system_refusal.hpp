// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "storage/values/result.hpp"

namespace trainyard {

// What the system just refused, by errno: "cannot " + what + ": Permission denied".
inline Error refused_by_system(const std::string& what) {
  return fail(Errc::io, "cannot " + what + ": " + std::strerror(errno));
}

}  // namespace trainyard
