// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <trainyard/package.hpp>

#include "assessment.hpp"
#include "charts.hpp"
#include "images.hpp"
#include "model_file.hpp"
#include "request.hpp"
#include "training.hpp"

namespace {

namespace fs = std::filesystem;

/// The package: tells handwritten digits apart. What it learns, it learns in <training.hpp>; this class carries values
/// between that and the run.
class Digits {
 public:
  explicit Digits(trainyard::Run& run) : run_(run), model_(digits::load_model(run.package_directory())) {}

  /// Makes `training/` and `test/` out of one table: every fifth image of each digit is for the test. A dataset that
  /// comes divided stays as it is.
  void process_data(const fs::path& data) {
    const fs::path training = folder("training_data");
    const fs::path test = folder("test_data");
    if (digits::has_images(training)) {
      run_.info("the dataset comes with its own training images");
      return;
    }
    const std::vector<digits::Image> images = digits::read_images(data);
    if (digits::has_images(test)) {
      digits::write_images(training, images);
      run_.info("all " + std::to_string(images.size()) + " images are for training: the test images were given");
      return;
    }
    const digits::Split split = digits::hold_out_every(5, images);
    digits::write_images(training, split.kept);
    digits::write_images(test, split.held_out);
    run_.info(std::to_string(split.kept.size()) + " images are for training, " + std::to_string(split.held_out.size()) +
              " for the test");
  }

  void train(const fs::path& data) {
    const digits::TrainingSettings settings = read_settings();
    start_model(settings.seed);
    const digits::Split split = digits::hold_out_every(10, digits::read_images(data));
    if (split.held_out.empty()) {
      throw trainyard::InvalidInput((data / "digits.csv").string() +
                                    " holds too few images; one digit at least must be there ten times");
    }
    run_.info("training on " + std::to_string(split.kept.size()) + " images, validating on " +
              std::to_string(split.held_out.size()));

    std::ofstream table = open_artifact("metrics.csv");
    table << "epoch,loss,accuracy,validation_loss,validation_accuracy\n";
    std::vector<digits::EpochMetrics> history;
    const digits::TrainingObserver observer{
        .before_batch = [this] { run_.throw_if_cancelled(); },
        .after_epoch =
            [&](const digits::EpochMetrics& metrics) {
              history.push_back(metrics);
              table << metrics.epoch << ',' << metrics.loss << ',' << metrics.accuracy << ',' << metrics.validation_loss
                    << ',' << metrics.validation_accuracy << std::endl;
              report(metrics, static_cast<std::int64_t>(history.size()), settings.epochs);
            }};
    digits::train(*model_, split.kept, split.held_out, settings, observer);
    close_artifact(table, "metrics.csv");

    write_artifact("learning_curve.svg", digits::learning_curve_svg(history));
    const digits::Assessment assessment = digits::assess(model_->network, split.held_out);
    write_artifact("confusion_matrix.svg",
                   digits::confusion_matrix_svg(assessment, "Confusion on the validation images"));
    write_artifact("misclassified.svg", digits::misclassified_svg(assessment, "Misclassified validation images"));
  }

  void save() { digits::save_model(run_.package_directory(), trained_model()); }

  double evaluate(const fs::path& data) {
    const digits::Assessment assessment = digits::assess(trained_model().network, digits::read_images(data));
    run_.metric("evaluation_loss", assessment.loss);
    run_.metric("evaluation_accuracy", assessment.accuracy);
    write_artifact("evaluation_confusion_matrix.svg",
                   digits::confusion_matrix_svg(assessment, "Confusion on the evaluation images"));
    write_artifact("evaluation_misclassified.svg",
                   digits::misclassified_svg(assessment, "Misclassified evaluation images"));
    run_.info("accuracy " + std::to_string(assessment.accuracy) + ", " + std::to_string(assessment.mistakes.size()) +
              " images misclassified");
    return assessment.accuracy;
  }

  std::string predict(std::string_view input) {
    return digits::answer_json(trained_model().network.probabilities(digits::parse_request(input)));
  }

 private:
  /// The parameter, checked against the range that package.json declares.
  template <class T>
  T number(std::string_view name, T otherwise, T lowest, T highest) const {
    const T value = run_.parameter<T>(name, otherwise);
    if (!(value >= lowest && value <= highest)) {
      throw trainyard::InvalidInput(std::string(name) + " is " + std::to_string(value) + "; it must be from " +
                                    std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return value;
  }

  digits::TrainingSettings read_settings() const {
    digits::TrainingSettings settings;
    settings.epochs = number("epochs", settings.epochs, std::int64_t{1}, std::int64_t{1000});
    settings.learning_rate = number("learning_rate", settings.learning_rate, 0.0001F, 1.0F);
    settings.batch_size = number("batch_size", settings.batch_size, std::size_t{1}, std::size_t{1024});
    settings.seed = number("seed", settings.seed, std::uint64_t{0}, std::uint64_t{2147483647});
    settings.augment = run_.parameter<bool>("augment", true) ? digits::Augment::yes : digits::Augment::no;
    const auto optimizer = run_.parameter<std::string>("optimizer", "momentum");
    if (optimizer != "sgd" && optimizer != "momentum") {
      throw trainyard::InvalidInput("optimizer is '" + optimizer + "'; it must be sgd or momentum");
    }
    settings.optimizer = optimizer == "sgd" ? digits::Optimizer::sgd : digits::Optimizer::momentum;
    return settings;
  }

  /// Goes on with the model of this version, or begins with one that knows nothing.
  void start_model(std::uint64_t seed) {
    const std::size_t current = model_ ? model_->network.hidden_units() : digits::kDefaultHiddenUnits;
    const std::size_t wanted = number("hidden_units", current, std::size_t{4}, std::size_t{1024});
    if (!model_) {
      model_ = digits::Model{digits::Network::untrained(wanted, seed), 0};
      run_.info("starting with an untrained network of " + std::to_string(wanted) + " hidden units");
      return;
    }
    if (wanted != current) {
      throw trainyard::InvalidInput("hidden_units is " + std::to_string(wanted) + ", but the model to continue has " +
                                    std::to_string(current) + "; ask for " + std::to_string(current) +
                                    " or train the version without a model");
    }
    run_.info("continuing from " + std::to_string(model_->epochs) + " epochs");
  }

  void report(const digits::EpochMetrics& metrics, std::int64_t done, std::int64_t of) const {
    run_.metric("loss", metrics.loss, metrics.epoch);
    run_.metric("accuracy", metrics.accuracy, metrics.epoch);
    run_.metric("validation_loss", metrics.validation_loss, metrics.epoch);
    run_.metric("validation_accuracy", metrics.validation_accuracy, metrics.epoch);
    run_.progress(static_cast<double>(done) / static_cast<double>(of),
                  "epoch " + std::to_string(done) + " of " + std::to_string(of));
    run_.info("epoch " + std::to_string(metrics.epoch) + ": loss " + std::to_string(metrics.loss) + ", accuracy " +
              std::to_string(metrics.accuracy) + ", validation accuracy " +
              std::to_string(metrics.validation_accuracy));
  }

  const digits::Model& trained_model() const {
    if (!model_) throw trainyard::InvalidInput("this version of the package has no model yet; train it first");
    return *model_;
  }

  fs::path folder(std::string_view name) const {
    if (const auto path = run_.directory(name)) return *path;
    throw std::runtime_error("the run has no folder '" + std::string(name) + "'");
  }

  std::ofstream open_artifact(std::string_view name) const {
    return std::ofstream(run_.artifacts_directory() / name, std::ios::binary);
  }

  void close_artifact(std::ofstream& file, std::string_view name) const {
    file.close();
    if (!file) throw std::runtime_error((run_.artifacts_directory() / name).string() + " could not be written");
  }

  void write_artifact(std::string_view name, std::string_view content) const {
    std::ofstream file = open_artifact(name);
    file << content;
    close_artifact(file, name);
  }

  trainyard::Run& run_;
  std::optional<digits::Model> model_;
};

}  // namespace

TRAINYARD_PACKAGE(Digits)
