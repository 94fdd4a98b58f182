// SPDX-License-Identifier: Apache-2.0
// A package of the year 1.0, with every verb: built with the headers of that release, run by today's worker.
#include <trainyard/package.hpp>

#include <fstream>

static_assert(TRAINYARD_ABI_MAJOR == 1 && TRAINYARD_ABI_MINOR == 0, "this package is built with the frozen headers");

namespace {

class Frozen {
 public:
  explicit Frozen(trainyard::Run& run) : run_(run) { std::ifstream(model()) >> trainings_; }

  void process_data(const std::filesystem::path&) {
    if (const auto training = run_.directory("training_data")) std::ofstream(*training / "part.txt") << "training\n";
    if (const auto test = run_.directory("test_data")) std::ofstream(*test / "part.txt") << "test\n";
  }

  void train(const std::filesystem::path&) {
    run_.throw_if_cancelled();
    ++trainings_;
    run_.metric("trainings", trainings_, 1);
    run_.progress(1.0, "trained");
    run_.info("trained by a package of 1.0");
  }

  void save() { std::ofstream(model()) << trainings_ << "\n"; }
  double evaluate(const std::filesystem::path&) { return trainings_; }
  std::string predict(std::string_view input) { return std::string(input); }

 private:
  std::filesystem::path model() const { return run_.package_directory() / "model.txt"; }

  trainyard::Run& run_;
  int trainings_ = 0;
};

}  // namespace

TRAINYARD_PACKAGE(Frozen)
