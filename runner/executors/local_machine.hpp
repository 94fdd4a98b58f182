// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/machine.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// What this machine has. Of GPUs those of NVIDIA's driver are found: by what it tells of each in `nvidia`
// ("Device Minor: 0", "GPU UUID: GPU-…", "Model: …" in <bus address>/information) and by their device files in
// `devices`. A GPU without a device file cannot be used here, as in a container that was given another one.
Machine local_machine(const Path& nvidia = "/proc/driver/nvidia/gpus", const Path& devices = "/dev");

}  // namespace trainyard
