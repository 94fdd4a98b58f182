// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "examples.hpp"

namespace distributed {

/// SplitMix64: the same numbers from the same seed everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Evenly distributed in [-limit, limit).
  double within(double limit);
  /// Below `limit`, which is far below 2^64.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

/// A network with one hidden layer. A value: it knows its parameters and their gradient, not how they are learned.
class Classifier {
 public:
  static Classifier untrained(std::size_t hidden_units, std::uint64_t seed);

  std::size_t hidden_units() const { return hidden_units_; }
  std::span<double> parameters() { return parameters_; }
  std::span<const double> parameters() const { return parameters_; }

  std::size_t most_likely(const std::array<double, kPixels>& pixels) const;
  /// Adds the gradient of the cross-entropy of one example, laid out like parameters(), and returns the cross-entropy.
  double add_gradient(const Example& example, std::span<double> gradient) const;

  /// `<folder>/model.txt`: the width, then every parameter in hexadecimal, hence exact. None when there is no such file.
  /// Throws std::runtime_error.
  static std::optional<Classifier> load(const std::filesystem::path& folder);
  void save(const std::filesystem::path& folder) const;

 private:
  Classifier(std::size_t hidden_units, std::vector<double> parameters)
      : hidden_units_(hidden_units), parameters_(std::move(parameters)) {}
  void forward(const std::array<double, kPixels>& pixels, std::vector<double>& hidden,
               std::array<double, kDigits>& probabilities) const;

  std::size_t hidden_units_;
  // Hidden weights (pixel by pixel), hidden biases, output weights (unit by unit), output biases.
  std::vector<double> parameters_;
};

}  // namespace distributed
