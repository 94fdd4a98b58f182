// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "images.hpp"

namespace digits {

/// One probability for each digit; they add up to 1.
using Probabilities = std::array<double, kClasses>;

std::size_t most_likely(const Probabilities& probabilities);

/// A network with one hidden layer: 64 pixels, `hidden_units` rectified linear units, 10 digits by softmax. It is a
/// value: it knows its parameters and their gradient, not how they are learned.
///
/// Every sum runs in one fixed order and nothing is left to chance but the first parameters, which follow from the
/// seed: the same build gives the same bits.
class Network {
 public:
  /// A network that has learned nothing. `hidden_units` is 1 or more.
  static Network untrained(std::size_t hidden_units, std::uint64_t seed);

  /// Throws std::invalid_argument when `parameters` does not hold parameter_count(hidden_units) numbers.
  Network(std::size_t hidden_units, std::vector<float> parameters);

  static std::size_t parameter_count(std::size_t hidden_units);

  std::size_t hidden_units() const { return hidden_units_; }

  /// In this order: hidden weights (pixel by pixel, one for each unit), hidden biases, output weights (unit by unit,
  /// one for each digit), output biases.
  std::span<const float> parameters() const { return parameters_; }
  std::span<float> parameters() { return parameters_; }

  Probabilities probabilities(const Pixels& pixels) const;

  /// Adds the gradient of the cross-entropy of one image to `gradient`, which is laid out like parameters().
  void add_gradient(const Image& image, std::span<float> gradient) const;

 private:
  std::vector<float> hidden_activations(const Pixels& pixels) const;
  Probabilities output(const std::vector<float>& hidden) const;

  std::size_t hidden_units_;
  std::vector<float> parameters_;
};

}  // namespace digits
