// SPDX-License-Identifier: Apache-2.0
// Throws out of a destructor, which ends the process. It must not matter: by then the model is saved.
#include <trainyard/package.hpp>

#include <fstream>
#include <stdexcept>

namespace {

void let_go() { throw std::runtime_error("cannot let go"); }

class DestroysBadly {
 public:
  explicit DestroysBadly(trainyard::Run& run) : run_(run) {}
  ~DestroysBadly() { let_go(); }
  void train(const std::filesystem::path&) {}
  void save() { std::ofstream(run_.package_directory() / "model.txt") << "saved"; }

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(DestroysBadly)
