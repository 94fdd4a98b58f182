// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/local_machine.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kDevice = "nvidia";
constexpr std::size_t kMostInformation = std::size_t{64} << 10U;

// "Key: \t value" in lines of their own.
std::string value_of(std::string_view text, std::string_view key) {
  std::size_t begin = text.find(key);
  if (begin == std::string_view::npos) return "";
  begin = text.find_first_not_of(" \t", begin + key.size());
  if (begin == std::string_view::npos) return "";
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  return std::string(line.substr(0, line.find_last_not_of(" \t\r") + 1));
}

// GPUs as the driver tells of them, by number.
std::vector<Gpu> told_by_driver(const Path& nvidia) {
  std::vector<Gpu> gpus;
  const auto addresses = list_folder(nvidia);
  if (!addresses.ok()) return gpus;
  for (const std::string& address : *addresses) {
    const auto text = read_file(nvidia / address / "information", kMostInformation);
    if (!text.ok()) continue;
    const auto number = number_in<std::uint32_t>(value_of(*text, "Device Minor:"));
    if (!number) continue;
    const std::string uuid = value_of(*text, "GPU UUID:");
    // A driver that does not know it yet prints question marks.
    const bool known = uuid.starts_with("GPU-") && uuid.find('?') == std::string::npos;
    gpus.push_back({*number, known ? uuid : std::to_string(*number), value_of(*text, "Model:")});
  }
  return gpus;
}

}  // namespace

Machine local_machine(const Path& nvidia, const Path& devices) {
  Machine machine;
  machine.cores = std::max(1U, std::thread::hardware_concurrency());
  machine.gpus_searched = "GPUs are those of NVIDIA's driver, told in '" + nvidia.string() + "' or by '" +
                          devices.string() + "/nvidia0' and so on";
  const std::vector<Gpu> told = told_by_driver(nvidia);
  const auto names = list_folder(devices);
  if (!names.ok()) return machine;
  for (const std::string& name : *names) {
    if (!name.starts_with(kDevice)) continue;
    const auto number = number_in<std::uint32_t>(std::string_view(name).substr(kDevice.size()));
    if (!number) continue;
    const auto known = std::find_if(told.begin(), told.end(), [&](const Gpu& gpu) { return gpu.number == *number; });
    machine.gpus.push_back(known != told.end() ? *known : Gpu{*number, std::to_string(*number), ""});
  }
  std::sort(machine.gpus.begin(), machine.gpus.end(), [](const Gpu& a, const Gpu& b) { return a.number < b.number; });
  return machine;
}

}  // namespace trainyard
