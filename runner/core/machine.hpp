// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trainyard {

struct Gpu {
  std::uint32_t number = 0;  // the device's minor number: 3 of /dev/nvidia3
  std::string name;          // as CUDA_VISIBLE_DEVICES takes it: its UUID where that is known, else the number
  std::string model;         // empty when it is not known
  friend bool operator==(const Gpu&, const Gpu&) = default;
};

// What a machine has for runs.
struct Machine {
  std::uint32_t cores = 1;
  std::vector<Gpu> gpus;      // by number
  std::string gpus_searched;  // where GPUs were looked for, for errors
};

}  // namespace trainyard
