// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "runner/processes/run_program.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// A real cluster of this program's own on the loopback, as tests/support/servers/slurm starts it; ends with it. For tests:
// what fails throws.
class SlurmCluster {
 public:
  explicit SlurmCluster(int nodes = 2, std::map<std::string, std::string> settings = {}) {
    settings["SERVER_OWNER"] = std::to_string(::getpid());
    std::string said = call({"up", folder_.path().string(), std::to_string(nodes)}, settings);
    config_ = said.substr(0, said.find('\n'));
  }
  ~SlurmCluster() {
    static_cast<void>(run_program({TRAINYARD_SLURM_SERVER, "down", folder_.path().string()}, {{"PATH", kPath}}, "/", "",
                                  std::chrono::seconds(60)));
  }
  SlurmCluster(const SlurmCluster&) = delete;
  SlurmCluster& operator=(const SlurmCluster&) = delete;

  // For programs that speak to it.
  [[nodiscard]] std::map<std::string, std::string> environment() const {
    return {{"PATH", kPath}, {"SLURM_CONF", config_}};
  }
  void controller(const char* what) { call({"controller", folder_.path().string(), what}, {}); }
  void node(const std::string& name, const char* what) { call({"node", folder_.path().string(), name, what}, {}); }

  // What one of Slurm's programs printed.
  std::string ask(const std::string& program, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "/usr/bin/" + program);
    const auto output = run_program(arguments, environment(), "/", "", std::chrono::seconds(60));
    if (!output.ok()) throw std::runtime_error(output.error().message);
    if (output->status.code != 0) throw std::runtime_error(program + " failed: " + output->err);
    return output->out;
  }

 private:
  static constexpr const char* kPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

  static std::string call(std::vector<std::string> arguments, std::map<std::string, std::string> environment) {
    arguments.insert(arguments.begin(), TRAINYARD_SLURM_SERVER);
    environment["PATH"] = kPath;
    const auto output = run_program(arguments, environment, "/", "", std::chrono::seconds(60));
    if (!output.ok()) throw std::runtime_error(output.error().message);
    if (output->status.code != 0) throw std::runtime_error("Slurm does not start: " + output->err);
    return output->out;
  }

  TempFolder folder_;
  std::string config_;
};

}  // namespace trainyard
