// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "images.hpp"
#include "network.hpp"

namespace digits {

/// How a network does on images whose digits are known.
struct Assessment {
  struct Mistake {
    Image image;
    std::size_t predicted = 0;
    double probability = 0.0;  // of the predicted digit
  };

  double loss = 0.0;      // mean cross-entropy; infinite or NaN when the network has diverged
  double accuracy = 0.0;  // the share that is right, from 0 to 1
  std::array<std::array<int, kClasses>, kClasses> confusion{};  // [true digit][predicted digit], in images
  std::vector<Mistake> mistakes;                                // in the order of the images
};

/// `images` is not empty.
Assessment assess(const Network& network, const std::vector<Image>& images);

}  // namespace digits
