// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <vector>

namespace digits {

inline constexpr std::size_t kSide = 8;
inline constexpr std::size_t kPixels = kSide * kSide;
inline constexpr std::size_t kClasses = 10;
inline constexpr int kInk = 16;  // the darkest value of a pixel in files and requests

/// Row by row from the top left; 0 is paper, 1 is full ink (files and requests count from 0 to kInk).
using Pixels = std::array<float, kPixels>;

struct Image {
  Pixels pixels{};
  std::size_t label = 0;  // the digit, below kClasses
};

/// `<folder>/digits.csv`: the header line "label,p00,p01,...,p77" (p, row, column), then one line for each image with
/// 65 whole numbers, the label from 0 to 9 and pixels from 0 to 16. Throws trainyard::InvalidInput with the file and
/// the line of the first mistake, or when there is no image at all.
std::vector<Image> read_images(const std::filesystem::path& folder);

/// Writes `<folder>/digits.csv` in the form that read_images reads. Throws std::runtime_error with the path.
void write_images(const std::filesystem::path& folder, const std::vector<Image>& images);

bool has_images(const std::filesystem::path& folder);

struct Split {
  std::vector<Image> kept;
  std::vector<Image> held_out;
};

/// Holds out the `n`-th, `2n`-th ... image of each class, so the choice depends on nothing but the order of the images.
Split hold_out_every(std::size_t n, const std::vector<Image>& images);

}  // namespace digits
