// SPDX-License-Identifier: Apache-2.0
#include "training.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <utility>

#include <trainyard/package.hpp>

#include "random.hpp"

namespace digits {
namespace {

/// The image moved by up to 0.7 pixels each way and turned by up to eight degrees around its middle, with linear
/// interpolation.
Image varied(const Image& image, Random& random) {
  constexpr float kMove = 0.7F;
  constexpr float kTurn = 8.0F * std::numbers::pi_v<float> / 180.0F;
  constexpr float kMiddle = (static_cast<float>(kSide) - 1.0F) / 2.0F;
  const float move_x = random.between(-kMove, kMove);
  const float move_y = random.between(-kMove, kMove);
  const float turn = random.between(-kTurn, kTurn);
  const float cosine = std::cos(turn);
  const float sine = std::sin(turn);

  const auto ink_at = [&](int x, int y) {
    constexpr int kEnd = static_cast<int>(kSide);
    if (x < 0 || y < 0 || x >= kEnd || y >= kEnd) return 0.0F;
    return image.pixels[static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x)];
  };
  Image result;
  result.label = image.label;
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    const float x = static_cast<float>(pixel % kSide) - kMiddle;
    const float y = static_cast<float>(pixel / kSide) - kMiddle;
    const float from_x = cosine * x - sine * y + kMiddle + move_x;
    const float from_y = sine * x + cosine * y + kMiddle + move_y;
    const float left = std::floor(from_x);
    const float top = std::floor(from_y);
    const float across = from_x - left;
    const float down = from_y - top;
    const int column = static_cast<int>(left);
    const int row = static_cast<int>(top);
    const float upper = (1.0F - across) * ink_at(column, row) + across * ink_at(column + 1, row);
    const float lower = (1.0F - across) * ink_at(column, row + 1) + across * ink_at(column + 1, row + 1);
    result.pixels[pixel] = (1.0F - down) * upper + down * lower;
  }
  return result;
}

/// Fisher and Yates: every order is equally likely.
void shuffle(std::vector<std::size_t>& order, Random& random) {
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
}

/// Walks against the gradient. With momentum, a step goes on in the direction of the steps before it, which starts anew
/// in every run.
class Descent {
 public:
  Descent(Optimizer optimizer, std::size_t parameter_count)
      : keep_(optimizer == Optimizer::momentum ? 0.9F : 0.0F), velocity_(parameter_count, 0.0F) {}

  void step(std::span<float> parameters, std::span<const float> gradient, float rate) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      velocity_[i] = keep_ * velocity_[i] + gradient[i];
      parameters[i] -= rate * velocity_[i];
    }
  }

 private:
  float keep_;
  std::vector<float> velocity_;
};

}  // namespace

void train(Model& model, const std::vector<Image>& training, const std::vector<Image>& validation,
           const TrainingSettings& settings, const TrainingObserver& observer) {
  Network& network = model.network;
  Descent descent(settings.optimizer, network.parameters().size());
  std::vector<float> gradient(network.parameters().size());
  const std::size_t batches = (training.size() + settings.batch_size - 1) / settings.batch_size;
  const auto steps = static_cast<double>(batches) * static_cast<double>(settings.epochs);
  double done = 0.0;

  for (std::int64_t round = 0; round < settings.epochs; ++round) {
    // A stream of its own for each epoch ever trained: a continued training does not repeat the orders of its parent.
    Random random(Random(settings.seed).next() + static_cast<std::uint64_t>(model.epochs));
    std::vector<std::size_t> order(training.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    shuffle(order, random);

    for (std::size_t first = 0; first < order.size(); first += settings.batch_size) {
      observer.before_batch();
      const std::size_t last = std::min(first + settings.batch_size, order.size());
      std::fill(gradient.begin(), gradient.end(), 0.0F);
      for (std::size_t i = first; i < last; ++i) {
        const Image& image = training[order[i]];
        network.add_gradient(settings.augment == Augment::yes ? varied(image, random) : image, gradient);
      }
      const double left = 1.0 - done / steps;
      const double rate = settings.learning_rate * left / static_cast<double>(last - first);
      descent.step(network.parameters(), gradient, static_cast<float>(rate));
      done += 1.0;
    }

    ++model.epochs;
    const Assessment on_training = assess(network, training);
    const Assessment on_validation = assess(network, validation);
    if (!std::isfinite(on_training.loss)) {
      throw trainyard::InvalidInput("the training diverged in epoch " + std::to_string(model.epochs) +
                                    "; learning_rate " + std::to_string(settings.learning_rate) + " is too large");
    }
    observer.after_epoch(
        {model.epochs, on_training.loss, on_training.accuracy, on_validation.loss, on_validation.accuracy});
  }
}

}  // namespace digits
