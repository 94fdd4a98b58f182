// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include <trainyard/distributed.hpp>

#include "classifier.hpp"

namespace distributed {

struct Settings {
  std::int64_t epochs = 20;
  double learning_rate = 0.2;
  std::size_t batch_size = 128;  // of all workers together
  std::uint64_t seed = 1;
};

struct Epoch {
  std::int64_t number = 0;  // from 1 on
  double loss = 0.0;        // the mean over the training images, while they were learned from
  double accuracy = 0.0;    // on the images that were held out
  double seconds = 0.0;
};

/// What this worker has. Where all workers have everything, each takes every size()-th image of each batch; where the data
/// was divided among them by file, each takes its own.
struct Share {
  std::vector<Example> training;
  std::vector<Example> held_out;
  bool own_files = false;
};

/// Trains with all workers of `world`, which call it together with the same classifier and settings. The classifier
/// depends on how many workers there are by rounding alone, where all have everything.
void train(Classifier& classifier, const Share& share, const Settings& settings, trainyard::World& world,
           const std::function<void(const Epoch&)>& after_epoch);

}  // namespace distributed
