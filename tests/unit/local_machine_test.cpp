// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/local_machine.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.hpp"

namespace trainyard::local_machine_test {

// The files are as NVIDIA's driver makes them; what is asked of a real one is no more than these lines.
TEST_CASE("GPUs are found by their devices, and known by what the driver tells", "[local_machine]") {
  const TempFolder temp;
  temp.write("gpus/0000:17:00.0/information",
             "Model: \t\t NVIDIA H200\nIRQ:   \t\t 160\nGPU UUID: \t GPU-8c7cd2ce-2eac-9e4b-1b65-1f0a5f36d2a5\n"
             "Video BIOS: \t 1.2\nBus Type: \t PCIe\nDevice Minor: \t 1\nGPU Excluded:\t No\n");
  temp.write("gpus/0000:18:00.0/information",
             "Model: \t\t Unknown\nGPU UUID: \t GPU-\?\?\?\?\?\?\?\?-\?\?\?\?\nDevice Minor: \t 10\n");
  temp.write("gpus/0000:19:00.0/information",
             "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-elsewhere\nDevice Minor: \t 3\n");
  for (const char* const name : {"nvidia1", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "null"})
    temp.write("dev/" + std::string(name), "");
  const Machine machine = local_machine(temp.path() / "gpus", temp.path() / "dev");
  const std::vector<Gpu> gpus = {
      {1, "GPU-8c7cd2ce-2eac-9e4b-1b65-1f0a5f36d2a5", "NVIDIA H200"}, {2, "2", ""}, {10, "10", "Unknown"}};
  CHECK((machine.gpus == gpus));
  CHECK(machine.cores >= 1);

  const Machine without = local_machine("/nowhere/gpus", temp.path() / "gpus");
  CHECK(without.gpus.empty());
  CHECK(without.gpus_searched.find("/nowhere/gpus") != std::string::npos);
  CHECK(without.gpus_searched.find("/nvidia0") != std::string::npos);
}

}  // namespace trainyard::local_machine_test
