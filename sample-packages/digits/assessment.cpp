// SPDX-License-Identifier: Apache-2.0
#include "assessment.hpp"

#include <algorithm>
#include <cmath>

namespace digits {

Assessment assess(const Network& network, const std::vector<Image>& images) {
  constexpr double kLeast = 1e-300;  // a certain mistake costs much, not infinitely much
  Assessment result;
  for (const Image& image : images) {
    const Probabilities probabilities = network.probabilities(image.pixels);
    const std::size_t predicted = most_likely(probabilities);
    const double of_the_truth = probabilities[image.label];
    result.loss -= std::log(of_the_truth < kLeast ? kLeast : of_the_truth);
    ++result.confusion[image.label][predicted];
    if (predicted != image.label) result.mistakes.push_back({image, predicted, probabilities[predicted]});
  }
  const auto count = static_cast<double>(images.size());
  result.loss /= count;
  result.accuracy = (count - static_cast<double>(result.mistakes.size())) / count;
  return result;
}

}  // namespace digits
