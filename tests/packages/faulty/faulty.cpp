// SPDX-License-Identifier: Apache-2.0
// Goes wrong where and how the variable `fault` says: "train throws", "save crashes" …
#include <trainyard/package.hpp>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

class Faulty {
 public:
  explicit Faulty(trainyard::Run&) {}
  void process_data(const fs::path&) { meet("process_data"); }
  void train(const fs::path&) { meet("train"); }
  void save() { meet("save"); }
  double evaluate(const fs::path&) {
    meet("evaluate");
    return 0.5;
  }

 private:
  static void meet(const std::string& verb) {
    const char* const given = std::getenv("fault");
    const std::string fault = given == nullptr ? "" : given;
    if (!fault.starts_with(verb + " ")) return;
    const std::string kind = fault.substr(verb.size() + 1);
    if (kind == "throws") throw std::runtime_error("on purpose");
    if (kind == "blames") throw trainyard::InvalidInput("on purpose");
    if (kind == "fills") throw std::bad_alloc();
    if (kind == "exits") ::_exit(0);
    if (kind == "crashes") std::raise(SIGKILL);
    while (kind == "hangs") std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
};

}  // namespace

TRAINYARD_PACKAGE(Faulty)
