// SPDX-License-Identifier: Apache-2.0
// A table that ends before the functions that every minor has.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) const struct {
  std::uint32_t struct_size, minor;
} trainyard_package_v1;
extern "C" constinit const decltype(trainyard_package_v1) trainyard_package_v1 = {8, 0};
