// SPDX-License-Identifier: Apache-2.0
#include "images.hpp"

#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <trainyard/package.hpp>

namespace digits {
namespace {

namespace fs = std::filesystem;

std::string pixel_name(std::size_t pixel) {
  return {'p', static_cast<char>('0' + pixel / kSide), static_cast<char>('0' + pixel % kSide)};
}

std::string header_line() {
  std::string line = "label";
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) line.append(",").append(pixel_name(pixel));
  return line;
}

/// One line of one file, taken apart from left to right.
class Line {
 public:
  Line(const fs::path& file, std::size_t number, std::string_view text) : file_(file), number_(number), rest_(text) {}

  int take(const std::string& column, int highest) {
    if (!rest_) refuse("ends before column '" + column + "'; it must hold " + std::to_string(kPixels + 1) + " values");
    const std::size_t comma = rest_->find(',');
    const std::string_view field = rest_->substr(0, comma);
    rest_ = comma == std::string_view::npos ? std::nullopt : std::optional(rest_->substr(comma + 1));
    int value = -1;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size() || value < 0 || value > highest) {
      refuse("has '" + std::string(field.substr(0, 40)) + "' in column '" + column +
             "', which is not a whole number from 0 to " + std::to_string(highest));
    }
    return value;
  }

  void end() const {
    if (rest_) refuse("has more than " + std::to_string(kPixels + 1) + " values");
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw trainyard::InvalidInput(file_.string() + ", line " + std::to_string(number_) + " " + what);
  }

  const fs::path& file_;
  std::size_t number_;
  std::optional<std::string_view> rest_;
};

Image parse(const fs::path& file, std::size_t number, std::string_view text) {
  Line line(file, number, text);
  Image image;
  image.label = static_cast<std::size_t>(line.take("label", static_cast<int>(kClasses) - 1));
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    image.pixels[pixel] = static_cast<float>(line.take(pixel_name(pixel), kInk)) / static_cast<float>(kInk);
  }
  line.end();
  return image;
}

fs::path table_in(const fs::path& folder) { return folder / "digits.csv"; }

bool next_line(std::istream& in, std::string& text) {
  if (!std::getline(in, text)) return false;
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return true;
}

}  // namespace

bool has_images(const fs::path& folder) { return fs::is_regular_file(table_in(folder)); }

std::vector<Image> read_images(const fs::path& folder) {
  const fs::path file = table_in(folder);
  if (!has_images(folder)) {
    throw trainyard::InvalidInput(file.string() + " does not exist; the data folder must hold a table digits.csv");
  }
  std::ifstream in(file);
  if (!in) throw trainyard::InvalidInput(file.string() + " cannot be opened for reading");
  std::string text;
  if (!next_line(in, text) || text != header_line()) {
    throw trainyard::InvalidInput(file.string() + ", line 1 is not the header label,p00,p01,...,p77");
  }
  std::vector<Image> images;
  for (std::size_t number = 2; next_line(in, text); ++number) images.push_back(parse(file, number, text));
  if (in.bad()) throw std::runtime_error(file.string() + " could not be read to its end");
  if (images.empty()) throw trainyard::InvalidInput(file.string() + " holds no image, only a header");
  return images;
}

void write_images(const fs::path& folder, const std::vector<Image>& images) {
  const fs::path file = table_in(folder);
  std::ofstream out(file);
  out << header_line() << '\n';
  for (const Image& image : images) {
    out << image.label;
    for (const float pixel : image.pixels) out << ',' << std::lround(pixel * static_cast<float>(kInk));
    out << '\n';
  }
  out.close();
  if (!out) throw std::runtime_error(file.string() + " could not be written");
}

Split hold_out_every(std::size_t n, const std::vector<Image>& images) {
  Split split;
  std::array<std::size_t, kClasses> seen{};
  for (const Image& image : images) {
    const bool out = ++seen[image.label] % n == 0;
    (out ? split.held_out : split.kept).push_back(image);
  }
  return split;
}

}  // namespace digits
