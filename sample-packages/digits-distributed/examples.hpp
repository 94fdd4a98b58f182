// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

namespace distributed {

inline constexpr std::size_t kPixels = 64;
inline constexpr std::size_t kDigits = 10;

struct Example {
  std::array<double, kPixels> pixels{};  // 0 is paper, 1 is full ink
  std::size_t digit = 0;
};

/// All tables below the folder, in the order of their paths: files *.csv with a header and lines of 65 whole numbers, the
/// digit and its pixels from 0 to 16. None when there is no table. Throws trainyard::InvalidInput with the file and the
/// line of the first mistake.
std::vector<Example> read_examples(const std::filesystem::path& folder);

/// `"[0, 3, ...]"`, the 64 pixels of one image. Throws trainyard::InvalidInput.
std::array<double, kPixels> parse_pixels(std::string_view text);

}  // namespace distributed
