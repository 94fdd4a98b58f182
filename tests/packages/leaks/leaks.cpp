// SPDX-License-Identifier: Apache-2.0
// Tells its secret TOKEN in the ways that `way` names.
#include <trainyard/package.hpp>

#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

std::string setting(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

class Leaks {
 public:
  explicit Leaks(trainyard::Run& run) : run_(run) {}

  void train(const fs::path&) {
    const std::string way = setting("way", "nothing");
    const std::string token = setting("TOKEN", "");
    if (run_.parameter<std::string>("TOKEN", "") == token) std::printf("typed as well\n");
    if (way == "prints") {
      std::printf("first %s, then ", token.c_str());
      // In two pieces, with time between.
      std::printf("%s", token.substr(0, 4).c_str());
      std::fflush(stdout);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      std::printf("%s\n", token.substr(4).c_str());
      std::fprintf(stderr, "error with %s", token.c_str());
    }
    if (way == "logs") {
      run_.info("the token is " + token);
      run_.progress(0.5, "half of " + token);
    }
    if (way == "throws") throw std::runtime_error("no entry with " + token);
    if (way == "throws at length") throw std::runtime_error(std::string(1005, 'x') + token);
    if (way == "artifact")
      std::ofstream(run_.artifacts_directory() / "settings.json") << "{\"token\": \"" << token << "\"}";
    if (way == "model") std::ofstream(run_.package_directory() / "model.bin") << "header" << token << "rest";
    if (way == "checkpoint") std::ofstream(run_.directory("checkpoint").value() / "state") << token;
    if (way == "artifact and checkpoint of a failure") {
      std::ofstream(run_.artifacts_directory() / "settings.json") << token;
      std::ofstream(run_.artifacts_directory() / "fine.txt") << "fine";
      std::ofstream(run_.directory("checkpoint").value() / "state") << token;
      throw std::runtime_error("on purpose");
    }
  }

  void save() { std::ofstream(run_.package_directory() / "model.txt") << "trained\n"; }

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Leaks)
