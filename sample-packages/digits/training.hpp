// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "assessment.hpp"
#include "images.hpp"
#include "network.hpp"

namespace digits {

/// What a version of the package has learned so far.
struct Model {
  Network network;
  std::int64_t epochs = 0;  // over all runs that led to it
};

enum class Optimizer { sgd, momentum };
enum class Augment { no, yes };  // yes: each epoch sees every image shifted and turned a little, at random

/// As they are when a run says nothing; package.json declares the same.
struct TrainingSettings {
  std::int64_t epochs = 30;
  float learning_rate = 0.1F;  // of the first batch; falls evenly to nearly zero in the last one
  std::size_t batch_size = 16;
  std::uint64_t seed = 1;
  Optimizer optimizer = Optimizer::momentum;
  Augment augment = Augment::yes;
};
inline constexpr std::size_t kDefaultHiddenUnits = 128;

/// After an epoch, over the images as they are, without augmentation.
struct EpochMetrics {
  std::int64_t epoch = 0;  // counted over all runs, from 1
  double loss = 0.0;
  double accuracy = 0.0;
  double validation_loss = 0.0;
  double validation_accuracy = 0.0;
};

struct TrainingObserver {
  std::function<void()> before_batch;  // may throw to end the training
  std::function<void(const EpochMetrics&)> after_epoch;
};

/// Trains `model` further by `settings.epochs` epochs in the calling thread. The result depends on the arguments alone:
/// the same model, images and settings give the same bits. Neither list of images is empty. When something is thrown,
/// `model` has the parameters reached so far. Throws trainyard::InvalidInput when the network diverges.
void train(Model& model, const std::vector<Image>& training, const std::vector<Image>& validation,
           const TrainingSettings& settings, const TrainingObserver& observer);

}  // namespace digits
