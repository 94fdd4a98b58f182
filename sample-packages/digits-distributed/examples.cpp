// SPDX-License-Identifier: Apache-2.0
#include "examples.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include <trainyard/package.hpp>

namespace distributed {
namespace {

namespace fs = std::filesystem;

constexpr int kInk = 16;

/// The whole numbers of a text that `separator` is between, or none when it holds anything else.
std::vector<int> numbers_in(std::string_view text) {
  std::vector<int> numbers;
  while (!text.empty()) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) return {};
    numbers.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
    if (text.empty()) break;
    if (text.front() != ',') return {};
    text.remove_prefix(1);
  }
  return numbers;
}

bool are_pixels(const std::vector<int>& numbers, std::size_t from) {
  return numbers.size() == from + kPixels && std::all_of(numbers.begin() + static_cast<std::ptrdiff_t>(from),
                                                         numbers.end(), [](int number) { return number <= kInk; });
}

void read_table(const fs::path& file, std::vector<Example>& examples) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) throw trainyard::InvalidInput(file.string() + " has no header");
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const std::vector<int> numbers = numbers_in(line);
    if (!are_pixels(numbers, 1) || static_cast<std::size_t>(numbers.front()) >= kDigits) {
      throw trainyard::InvalidInput(file.string() + ", line " + std::to_string(number) +
                                    " is not a digit and its 64 pixels from 0 to 16");
    }
    Example example;
    example.digit = static_cast<std::size_t>(numbers.front());
    for (std::size_t pixel = 0; pixel < kPixels; ++pixel) example.pixels[pixel] = numbers[pixel + 1] / double{kInk};
    examples.push_back(example);
  }
}

}  // namespace

std::vector<Example> read_examples(const fs::path& folder) {
  std::vector<fs::path> tables;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".csv") tables.push_back(entry.path());
  }
  std::sort(tables.begin(), tables.end());
  std::vector<Example> examples;
  for (const fs::path& table : tables) read_table(table, examples);
  return examples;
}

std::array<double, kPixels> parse_pixels(std::string_view text) {
  const std::size_t begin = text.find('[');
  const std::size_t end = text.rfind(']');
  const std::vector<int> numbers = begin == std::string_view::npos || end == std::string_view::npos || end < begin
                                       ? std::vector<int>()
                                       : numbers_in(text.substr(begin + 1, end - begin - 1));
  if (!are_pixels(numbers, 0)) throw trainyard::InvalidInput("an image is an array of 64 whole numbers from 0 to 16");
  std::array<double, kPixels> pixels{};
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) pixels[pixel] = numbers[pixel] / double{kInk};
  return pixels;
}

}  // namespace distributed
