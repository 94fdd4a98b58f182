// SPDX-License-Identifier: Apache-2.0
// Writes 200000 lines to stdout and as many to stderr at once, each stream ending in last words without a newline.
// Those of stdout are left in the buffer: the process that runs the package has to flush it.
#include <trainyard/package.hpp>

#include <cstdio>
#include <thread>

namespace {

void flood(std::FILE* stream, const char* name) {
  for (int line = 1; line <= 200000; ++line) std::fprintf(stream, "%s line %06d\n", name, line);
  std::fprintf(stream, "chatty: the last words of %s", name);
}

class Chatty {
 public:
  explicit Chatty(trainyard::Run&) {}

  void train(const std::filesystem::path&) {
    std::thread out([] { flood(stdout, "stdout"); });
    std::thread err([] { flood(stderr, "stderr"); });
    out.join();
    err.join();
  }

  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(Chatty)
