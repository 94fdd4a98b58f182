// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "runner/worker/overlay_probe.hpp"
#include "runner/worker/private_overlay.hpp"

// What the worker does about a dataset, without the rest of it:
//   in_overlay LOWER UPPER WORK TARGET -- PROGRAM [ARGUMENT...]   becomes the program, in the overlay
//   in_overlay probe-overlay LOWER SCRATCH
int main(int argc, char** argv) {
  using namespace trainyard;
  if (argc == 4 && std::string_view(argv[1]) == "probe-overlay") return run_overlay_probe(argv[2], argv[3]);
  if (argc < 7 || std::string_view(argv[5]) != "--") {
    std::fprintf(stderr, "usage: in_overlay LOWER UPPER WORK TARGET -- PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  const auto entered = enter_private_overlays({{argv[1], argv[2], argv[3], argv[4]}});
  if (!entered.ok()) {
    std::fprintf(stderr, "%s\n", entered.error().message.c_str());
    return 125;
  }
  ::execv(argv[6], argv + 6);
  std::fprintf(stderr, "cannot run '%s': %s\n", argv[6], std::strerror(errno));
  return 126;
}
