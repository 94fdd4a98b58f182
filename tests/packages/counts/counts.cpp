// SPDX-License-Identifier: Apache-2.0
// Does everything right, with every verb: the model is the number of trainings, so a test sees from a version how it
// came about, and from a score which model was evaluated.
#include <trainyard/package.hpp>

#include <cstdio>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

struct Content {
  std::uintmax_t files = 0;
  std::uintmax_t bytes = 0;
};

Content content_of(const fs::path& folder) {
  Content content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++content.files;
    content.bytes += entry.file_size();
  }
  return content;
}

class Counts {
 public:
  explicit Counts(trainyard::Run& run) : run_(run) {
    std::ifstream(model()) >> trainings_;
    run_.info("loaded a model of " + std::to_string(trainings_) + " trainings");
  }

  void process_data(const fs::path& data) {
    std::ofstream(run_.directory("training_data").value() / "split.txt")
        << "training part of " << data.filename() << "\n";
    std::ofstream(run_.directory("test_data").value() / "split.txt") << "test part of " << data.filename() << "\n";
  }

  void train(const fs::path& data) {
    const auto epochs = run_.parameter<int>("epochs", 3);
    const auto learning_rate = run_.parameter<double>("learning_rate", 0.5);
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      run_.throw_if_cancelled();
      run_.metric("loss", learning_rate / epoch, epoch);
      std::printf("log_loss=%f\n", learning_rate / epoch);
      run_.progress(static_cast<double>(epoch) / epochs, "epoch " + std::to_string(epoch));
    }
    ++trainings_;
    const Content content = content_of(data);
    std::ofstream(run_.artifacts_directory() / "report.txt")
        << "trainings " << trainings_ << "\nfiles " << content.files << "\nbytes " << content.bytes << "\nepochs "
        << epochs << "\nlearning_rate " << learning_rate << "\noptimizer "
        << run_.parameter<std::string>("optimizer", "sgd") << "\nshuffle "
        << (run_.parameter("shuffle", true) ? "true" : "false") << "\n";
  }

  void save() { std::ofstream(model()) << trainings_ << "\n"; }

  double evaluate(const fs::path& data) {
    std::ofstream(run_.artifacts_directory() / "evaluated.txt") << content_of(data).files << "\n";
    return trainings_;
  }

  std::string predict(std::string_view input) { return std::to_string(trainings_) + ":" + std::string(input); }

 private:
  fs::path model() const { return run_.package_directory() / "model.txt"; }

  trainyard::Run& run_;
  int trainings_ = 0;
};

}  // namespace

TRAINYARD_PACKAGE(Counts)
