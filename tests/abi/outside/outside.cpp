// SPDX-License-Identifier: Apache-2.0
#include <trainyard/package.hpp>

#include <fstream>

#if defined(outside_undefined_symbol)
void nobody_defines_this();
#endif

class Outside {
 public:
  explicit Outside(trainyard::Run& run) : run_(run) {}
  void train(const std::filesystem::path&) {
#if defined(outside_undefined_symbol)
    nobody_defines_this();
#endif
  }
  void save() { std::ofstream(run_.package_directory() / "model.txt") << "trained\n"; }

 private:
  trainyard::Run& run_;
};

#if !defined(outside_no_entry)
TRAINYARD_PACKAGE(Outside)
#endif
