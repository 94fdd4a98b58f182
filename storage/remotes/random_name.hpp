// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"

namespace trainyard {

// 64 hexadecimal digits that nobody else comes upon, whatever their machine.
inline std::string random_name() {
  std::array<std::uint8_t, Digest::kBytes> random{};
  fill_random(random);
  return Digest(random).hex();
}

}  // namespace trainyard
