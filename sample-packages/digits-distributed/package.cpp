// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <optional>
#include <string>

#include <trainyard/package.hpp>

#include "classifier.hpp"
#include "training.hpp"

namespace {

namespace fs = std::filesystem;
using namespace distributed;

class DigitsDistributed {
 public:
  explicit DigitsDistributed(trainyard::Run& run) : run_(run), classifier_(Classifier::load(run.package_directory())) {}

  void train(const fs::path& data) {
    const Settings settings{run_.parameter<std::int64_t>("epochs", 20), run_.parameter<double>("learning_rate", 0.2),
                            run_.parameter<std::size_t>("batch_size", 128), run_.parameter<std::uint64_t>("seed", 1)};
    if (!classifier_)
      classifier_ = Classifier::untrained(run_.parameter<std::size_t>("hidden_units", 128), settings.seed);
    const Share share = divided(read_examples(data));
    trainyard::World world(run_);
    run_.info("worker " + std::to_string(world.rank()) + " of " + std::to_string(world.size()) + " has " +
              std::to_string(share.training.size()) + " images to learn from");
    require_images(share, data, world);
    distributed::train(*classifier_, share, settings, world, [&](const Epoch& epoch) {
      run_.metric("loss", epoch.loss, epoch.number);
      run_.metric("accuracy", epoch.accuracy, epoch.number);
      run_.metric("epoch_seconds", epoch.seconds, epoch.number);
      run_.progress(static_cast<double>(epoch.number) / static_cast<double>(settings.epochs),
                    "epoch " + std::to_string(epoch.number) + " of " + std::to_string(settings.epochs));
      run_.throw_if_cancelled();
    });
  }

  /// Called for rank 0 alone; every worker has the same model.
  void save() { trained().save(run_.package_directory()); }

  /// Called for rank 0 alone, so it asks nothing of the others.
  double evaluate(const fs::path& data) {
    const std::vector<Example> examples = read_examples(data);
    if (examples.empty()) throw trainyard::InvalidInput(data.string() + " holds no image");
    double right = 0.0;
    for (const Example& example : examples) right += trained().most_likely(example.pixels) == example.digit ? 1.0 : 0.0;
    return right / static_cast<double>(examples.size());
  }

  std::string predict(std::string_view input) {
    return "{\"digit\":" + std::to_string(trained().most_likely(parse_pixels(input))) + "}";
  }

 private:
  /// Every tenth image is held out.
  static Share divided(const std::vector<Example>& examples) {
    Share share;
    share.own_files = trainyard::data_is_divided();
    for (std::size_t i = 0; i < examples.size(); ++i)
      (i % 10 == 9 ? share.held_out : share.training).push_back(examples[i]);
    return share;
  }

  /// Of what all workers have together: one whose share is empty only helps to add up.
  static void require_images(const Share& share, const fs::path& data, trainyard::World& world) {
    std::vector<double> all = {static_cast<double>(share.training.size())};
    world.all_reduce(std::span<double>(all));
    if (all.front() == 0.0) throw trainyard::InvalidInput(data.string() + " holds no image");
  }

  const Classifier& trained() const {
    if (!classifier_) throw trainyard::InvalidInput("this version of the package has no model yet; train it first");
    return *classifier_;
  }

  trainyard::Run& run_;
  std::optional<Classifier> classifier_;
};

}  // namespace

TRAINYARD_PACKAGE(DigitsDistributed)
