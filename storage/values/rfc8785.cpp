// SPDX-License-Identifier: Apache-2.0
#include "storage/values/rfc8785.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// The order of UTF-16 code units. It is that of UTF-8 bytes but for the surrogates: U+E000 to U+FFFF (first byte EE or EF)
// come after all that is above them (F0 to F4).
bool utf16_less(const std::string& a, const std::string& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto rank = [](char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value == 0xEE || value == 0xEF ? value + 0x100 : static_cast<int>(value);
  };
  return rank(*x) < rank(*y);
}

// Number::toString of ECMA-262, from the shortest digits that read back as the same number.
std::string shortest_number(double value) {
  if (value == 0) return "0";
  char text[32];
  const auto written = std::to_chars(text, text + sizeof(text), std::abs(value), std::chars_format::scientific);
  const std::string_view whole(text, static_cast<std::size_t>(written.ptr - text));
  const std::size_t e = whole.find('e');
  std::string digits;
  for (const char c : whole.substr(0, e)) {
    if (c != '.') digits += c;
  }
  int exponent = 0;
  const std::string_view power = whole.substr(e + 1);
  std::from_chars(power.data() + (power.front() == '+' ? 1 : 0), power.data() + power.size(), exponent);
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // where the point stands, counted from the first digit
  const auto places = [](int n) { return static_cast<std::size_t>(n); };
  std::string shown;
  if (point > 0 && point <= 21) {
    shown = count <= point ? digits + std::string(places(point - count), '0')
                           : digits.substr(0, places(point)) + "." + digits.substr(places(point));
  } else if (point > -6 && point <= 0) {
    shown = "0." + std::string(places(-point), '0') + digits;
  } else {
    shown = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" + (exponent < 0 ? "-" : "+") +
            std::to_string(std::abs(exponent));
  }
  return value < 0 ? "-" + shown : shown;
}

Result<void> write(const Json& value, std::string& bytes);

Result<void> write_text(const std::string& text, std::string& bytes) {
  if (!is_utf8(text))
    return fail(Errc::invalid, "the text '" + utf8_cleaned(text) + "' is not UTF-8, so it has no canonical JSON");
  bytes += Json(text).dump();
  return {};
}

Result<void> write_number(const Json& value, std::string& bytes) {
  const auto number = value.get<double>();
  if (!std::isfinite(number)) return fail(Errc::invalid, "a number that is not finite has no canonical JSON");
  const std::string text = shortest_number(number);
  // Beyond 2^53 another whole number may be the same double.
  if (value.is_number_integer() && value.dump() != text)
    return fail(Errc::invalid, "the whole number " + value.dump() + " is too large for canonical JSON; make it a text");
  bytes += text;
  return {};
}

Result<void> write_object(const Json& value, std::string& bytes) {
  std::vector<std::string> keys;
  for (const auto& [key, member] : value.items()) keys.push_back(key);
  std::sort(keys.begin(), keys.end(), utf16_less);
  bytes += '{';
  for (const std::string& key : keys) {
    if (bytes.back() != '{') bytes += ',';
    TRY(write_text(key, bytes));
    bytes += ':';
    TRY(write(value.at(key), bytes));
  }
  bytes += '}';
  return {};
}

Result<void> write(const Json& value, std::string& bytes) {
  if (value.is_object()) return write_object(value, bytes);
  if (value.is_string()) return write_text(value.get_ref<const std::string&>(), bytes);
  if (value.is_number()) return write_number(value, bytes);
  if (!value.is_array()) {
    bytes += value.dump();
    return {};
  }
  bytes += '[';
  for (const Json& item : value) {
    if (bytes.back() != '[') bytes += ',';
    TRY(write(item, bytes));
  }
  bytes += ']';
  return {};
}

}  // namespace

Result<std::string> canonical_json(const Json& value) {
  std::string bytes;
  TRY(write(value, bytes));
  return bytes;
}

}  // namespace trainyard
