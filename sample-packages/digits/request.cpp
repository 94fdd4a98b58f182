// SPDX-License-Identifier: Apache-2.0
#include "request.hpp"

#include <charconv>
#include <cstddef>

#include <trainyard/package.hpp>

namespace digits {
namespace {

/// A JSON text, read from left to right (RFC 8259).
class Json {
 public:
  explicit Json(std::string_view rest) : rest_(rest) {}

  /// Takes `mark` when it comes next.
  bool take(char mark) {
    skip_space();
    if (rest_.empty() || rest_.front() != mark) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Takes the longest text with the grammar of a JSON number; empty when none comes next.
  std::string_view take_number() {
    skip_space();
    std::size_t at = 0;
    if (peek(at) == '-') ++at;
    const std::size_t whole = digits_from(at);
    if (whole == at || (peek(at) == '0' && whole > at + 1)) return {};
    at = whole;
    if (peek(at) == '.') {
      const std::size_t end = digits_from(at + 1);
      if (end == at + 1) return {};
      at = end;
    }
    if (peek(at) == 'e' || peek(at) == 'E') {
      const std::size_t sign = peek(at + 1) == '+' || peek(at + 1) == '-' ? 1 : 0;
      const std::size_t end = digits_from(at + 1 + sign);
      if (end == at + 1 + sign) return {};
      at = end;
    }
    const std::string_view number = rest_.substr(0, at);
    rest_.remove_prefix(at);
    return number;
  }

  bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    const std::size_t start = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
  }

  char peek(std::size_t at) const { return at < rest_.size() ? rest_[at] : '\0'; }

  std::size_t digits_from(std::size_t at) const {
    while (peek(at) >= '0' && peek(at) <= '9') ++at;
    return at;
  }

  std::string_view rest_;
};

[[noreturn]] void refuse(const std::string& why) {
  throw trainyard::InvalidInput("the input must be a JSON array of 64 numbers from 0 to 16, but " + why);
}

float pixel(std::string_view number, std::size_t position) {
  double value = -1.0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || error != std::errc() || !(value >= 0.0 && value <= kInk)) {
    refuse("value " + std::to_string(position) + " is " +
           (number.empty() ? "not a number" : std::string(number.substr(0, 40))));
  }
  return static_cast<float>(value / kInk);
}

}  // namespace

Pixels parse_request(std::string_view text) {
  Json json(text);
  if (!json.take('[')) refuse("it does not begin with '['");
  Pixels pixels{};
  for (std::size_t i = 0; i < kPixels; ++i) {
    if (i > 0 && !json.take(',')) refuse("after value " + std::to_string(i) + " there is no ','");
    pixels[i] = pixel(json.take_number(), i + 1);
  }
  if (!json.take(']')) refuse("after value 64 there is no ']'");
  if (!json.at_end()) refuse("something follows the array");
  return pixels;
}

std::string answer_json(const Probabilities& probabilities) {
  std::string json = "{\"digit\":" + std::to_string(most_likely(probabilities)) + ",\"probabilities\":[";
  for (std::size_t digit = 0; digit < kClasses; ++digit) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof(text), probabilities[digit]);
    if (digit > 0) json += ',';
    json.append(text, end);
    static_cast<void>(error);  // the shortest form of a double has at most 24 characters
  }
  return json + "]}";
}

}  // namespace digits
