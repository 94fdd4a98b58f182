// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "random.hpp"

namespace digits {
namespace {

/// The four parts of the parameters (or of their gradient), by where they begin.
template <class Number>
struct Layout {
  Layout(std::span<Number> all, std::size_t hidden_units)
      : hidden_weights(all.data()),
        hidden_biases(hidden_weights + kPixels * hidden_units),
        output_weights(hidden_biases + hidden_units),
        output_biases(output_weights + hidden_units * kClasses) {}

  Number* hidden_weights;
  Number* hidden_biases;
  Number* output_weights;
  Number* output_biases;
};

}  // namespace

std::size_t most_likely(const Probabilities& probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

std::size_t Network::parameter_count(std::size_t hidden_units) {
  return (kPixels + 1) * hidden_units + (hidden_units + 1) * kClasses;
}

Network::Network(std::size_t hidden_units, std::vector<float> parameters)
    : hidden_units_(hidden_units), parameters_(std::move(parameters)) {
  if (parameters_.size() != parameter_count(hidden_units)) {
    throw std::invalid_argument("a network of " + std::to_string(hidden_units) + " hidden units has " +
                                std::to_string(parameter_count(hidden_units)) + " parameters, not " +
                                std::to_string(parameters_.size()));
  }
}

Network Network::untrained(std::size_t hidden_units, std::uint64_t seed) {
  Network network(hidden_units, std::vector<float>(parameter_count(hidden_units), 0.0F));
  Random random(seed);
  // He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015: this spread keeps the signal's size from layer to layer.
  const auto fill = [&random](float* first, std::size_t count, std::size_t inputs) {
    const float limit = std::sqrt(6.0F / static_cast<float>(inputs));
    std::generate_n(first, count, [&] { return random.between(-limit, limit); });
  };
  const Layout<float> at(network.parameters_, hidden_units);
  fill(at.hidden_weights, kPixels * hidden_units, kPixels);
  fill(at.output_weights, hidden_units * kClasses, hidden_units);
  return network;
}

std::vector<float> Network::hidden_activations(const Pixels& pixels) const {
  const Layout<const float> at(parameters_, hidden_units_);
  std::vector<float> hidden(at.hidden_biases, at.hidden_biases + hidden_units_);
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    const float ink = pixels[pixel];
    if (ink == 0.0F) continue;  // half of an image is paper
    const float* weights = at.hidden_weights + pixel * hidden_units_;
    for (std::size_t unit = 0; unit < hidden_units_; ++unit) hidden[unit] += ink * weights[unit];
  }
  for (float& activation : hidden) activation = std::max(activation, 0.0F);
  return hidden;
}

Probabilities Network::output(const std::vector<float>& hidden) const {
  const Layout<const float> at(parameters_, hidden_units_);
  std::array<float, kClasses> sums{};
  std::copy_n(at.output_biases, kClasses, sums.begin());
  for (std::size_t unit = 0; unit < hidden_units_; ++unit) {
    const float* weights = at.output_weights + unit * kClasses;
    for (std::size_t digit = 0; digit < kClasses; ++digit) sums[digit] += hidden[unit] * weights[digit];
  }
  const double highest = *std::max_element(sums.begin(), sums.end());
  Probabilities probabilities{};
  double total = 0.0;
  for (std::size_t digit = 0; digit < kClasses; ++digit) {
    probabilities[digit] = std::exp(static_cast<double>(sums[digit]) - highest);
    total += probabilities[digit];
  }
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

Probabilities Network::probabilities(const Pixels& pixels) const { return output(hidden_activations(pixels)); }

void Network::add_gradient(const Image& image, std::span<float> gradient) const {
  const std::vector<float> hidden = hidden_activations(image.pixels);
  const Probabilities probabilities = output(hidden);
  std::array<float, kClasses> output_error{};  // of softmax with cross-entropy: what was said minus what is true
  for (std::size_t digit = 0; digit < kClasses; ++digit) {
    output_error[digit] = static_cast<float>(probabilities[digit] - (digit == image.label ? 1.0 : 0.0));
  }

  const Layout<const float> at(parameters_, hidden_units_);
  const Layout<float> change(gradient, hidden_units_);
  std::vector<float> hidden_error(hidden_units_, 0.0F);
  for (std::size_t unit = 0; unit < hidden_units_; ++unit) {
    if (hidden[unit] == 0.0F) continue;  // a unit that is off neither caused the error nor learns from it
    const float* weights = at.output_weights + unit * kClasses;
    float* weights_change = change.output_weights + unit * kClasses;
    for (std::size_t digit = 0; digit < kClasses; ++digit) {
      hidden_error[unit] += weights[digit] * output_error[digit];
      weights_change[digit] += hidden[unit] * output_error[digit];
    }
  }
  for (std::size_t digit = 0; digit < kClasses; ++digit) change.output_biases[digit] += output_error[digit];

  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    const float ink = image.pixels[pixel];
    if (ink == 0.0F) continue;
    float* weights_change = change.hidden_weights + pixel * hidden_units_;
    for (std::size_t unit = 0; unit < hidden_units_; ++unit) weights_change[unit] += ink * hidden_error[unit];
  }
  for (std::size_t unit = 0; unit < hidden_units_; ++unit) change.hidden_biases[unit] += hidden_error[unit];
}

}  // namespace digits
