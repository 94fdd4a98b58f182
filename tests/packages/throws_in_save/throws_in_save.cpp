// SPDX-License-Identifier: Apache-2.0
// Throws in save, after a part of the model is on disk.
#include <trainyard/package.hpp>

#include <fstream>
#include <stdexcept>

namespace {

class ThrowsInSave {
 public:
  explicit ThrowsInSave(trainyard::Run& run) : run_(run) {}
  void train(const std::filesystem::path&) {}
  void save() {
    std::ofstream(run_.package_directory() / "model.txt") << "half a mo";
    throw std::runtime_error("saving failed on purpose");
  }

 private:
  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(ThrowsInSave)
