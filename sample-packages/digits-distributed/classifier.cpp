// SPDX-License-Identifier: Apache-2.0
#include "classifier.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string>

namespace distributed {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostUnits = 1 << 16;

std::size_t count_for(std::size_t units) { return (kPixels + 1) * units + (units + 1) * kDigits; }

}  // namespace

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

double Random::within(double limit) {
  const double unit = static_cast<double>(next() >> 11U) * 0x1.0p-53;
  return limit * (2.0 * unit - 1.0);
}

Classifier Classifier::untrained(std::size_t hidden_units, std::uint64_t seed) {
  std::vector<double> parameters(count_for(hidden_units), 0.0);
  Random random(seed);
  const std::size_t output = (kPixels + 1) * hidden_units;
  for (std::size_t i = 0; i < kPixels * hidden_units; ++i) parameters[i] = random.within(std::sqrt(6.0 / kPixels));
  for (std::size_t i = 0; i < hidden_units * kDigits; ++i)
    parameters[output + i] = random.within(std::sqrt(6.0 / static_cast<double>(hidden_units)));
  return {hidden_units, std::move(parameters)};
}

void Classifier::forward(const std::array<double, kPixels>& pixels, std::vector<double>& hidden,
                         std::array<double, kDigits>& probabilities) const {
  const double* const biases = parameters_.data() + kPixels * hidden_units_;
  const double* const output = biases + hidden_units_;
  hidden.assign(biases, biases + hidden_units_);
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    const double ink = pixels[pixel];
    if (ink == 0.0) continue;
    const double* const weights = parameters_.data() + pixel * hidden_units_;
    for (std::size_t unit = 0; unit < hidden_units_; ++unit) hidden[unit] += ink * weights[unit];
  }
  std::copy_n(output + hidden_units_ * kDigits, kDigits, probabilities.begin());
  for (std::size_t unit = 0; unit < hidden_units_; ++unit) {
    hidden[unit] = std::max(hidden[unit], 0.0);
    for (std::size_t digit = 0; digit < kDigits; ++digit)
      probabilities[digit] += hidden[unit] * output[unit * kDigits + digit];
  }
  const double highest = *std::max_element(probabilities.begin(), probabilities.end());
  double total = 0.0;
  for (double& probability : probabilities) total += probability = std::exp(probability - highest);
  for (double& probability : probabilities) probability /= total;
}

std::size_t Classifier::most_likely(const std::array<double, kPixels>& pixels) const {
  std::vector<double> hidden;
  std::array<double, kDigits> probabilities{};
  forward(pixels, hidden, probabilities);
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

double Classifier::add_gradient(const Example& example, std::span<double> gradient) const {
  std::vector<double> hidden;
  std::array<double, kDigits> error{};
  forward(example.pixels, hidden, error);
  const double loss = -std::log(std::max(error[example.digit], 1e-300));
  error[example.digit] -= 1.0;

  const double* const output = parameters_.data() + (kPixels + 1) * hidden_units_;
  double* const hidden_change = gradient.data() + kPixels * hidden_units_;
  double* const output_change = hidden_change + hidden_units_;
  std::vector<double> hidden_error(hidden_units_, 0.0);
  for (std::size_t unit = 0; unit < hidden_units_; ++unit) {
    if (hidden[unit] == 0.0) continue;
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      hidden_error[unit] += output[unit * kDigits + digit] * error[digit];
      output_change[unit * kDigits + digit] += hidden[unit] * error[digit];
    }
    hidden_change[unit] += hidden_error[unit];
  }
  for (std::size_t digit = 0; digit < kDigits; ++digit) output_change[hidden_units_ * kDigits + digit] += error[digit];
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    const double ink = example.pixels[pixel];
    if (ink == 0.0) continue;
    double* const change = gradient.data() + pixel * hidden_units_;
    for (std::size_t unit = 0; unit < hidden_units_; ++unit) change[unit] += ink * hidden_error[unit];
  }
  return loss;
}

std::optional<Classifier> Classifier::load(const fs::path& folder) {
  const fs::path file = folder / "model.txt";
  if (!fs::exists(file)) return std::nullopt;
  std::ifstream in(file);
  std::size_t units = 0;
  if (!(in >> units) || units == 0 || units > kMostUnits) throw std::runtime_error(file.string() + " is no model");
  std::vector<double> parameters(count_for(units));
  for (double& parameter : parameters) {
    std::string text;
    in >> text;
    char* end = nullptr;
    parameter = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(parameter))
      throw std::runtime_error(file.string() + " is damaged");
  }
  return Classifier(units, std::move(parameters));
}

void Classifier::save(const fs::path& folder) const {
  const fs::path file = folder / "model.txt";
  std::ofstream out(file);
  out << hidden_units_ << '\n' << std::hexfloat;
  for (const double parameter : parameters_) out << parameter << '\n';
  out.close();
  if (!out) throw std::runtime_error(file.string() + " could not be written");
}

}  // namespace distributed
