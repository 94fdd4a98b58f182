// SPDX-License-Identifier: Apache-2.0
// Comes out differently each time, in some of what it makes and by design: whoever compares two of its runs has to find just
// that.
#include <trainyard/package.hpp>

#include <fstream>
#include <random>
#include <string>

namespace {

namespace fs = std::filesystem;

class Drifts {
 public:
  explicit Drifts(trainyard::Run& run) : run_(run) {}

  void process_data(const fs::path&) {
    std::ofstream(run_.directory("training_data").value() / "part.txt") << "training\n";
    std::ofstream(run_.directory("test_data").value() / "part.txt") << "test\n";
  }

  void train(const fs::path&) {
    run_.metric("steady", 0.25, 1);
    run_.metric("nearly", 1 + 1e-9 * chance(), 1);
    run_.metric("luck", 1 + chance(), 1);
    std::ofstream(run_.artifacts_directory() / "report.txt") << "the same each time\n";
    std::ofstream(run_.artifacts_directory() / "noise.txt") << chance() << "\n";
  }

  void save() {
    std::ofstream(run_.package_directory() / "steady.txt") << "learned\n";
    // Only the end of it differs.
    std::ofstream(run_.package_directory() / "model.bin") << std::string(1000, 'x') << device_() << "\n";
    if (run_.parameter<std::string>("extra", "no") == "sometimes")
      std::ofstream(run_.package_directory() / ("extra-" + std::to_string(device_()))) << "new\n";
  }

  double evaluate(const fs::path&) { return chance(); }

 private:
  // At least 0, and below 1.
  double chance() { return static_cast<double>(device_()) / 4294967296.0; }

  trainyard::Run& run_;
  std::random_device device_;
};

}  // namespace

TRAINYARD_PACKAGE(Drifts)
