// SPDX-License-Identifier: Apache-2.0
#include "storage/values/tree_text.hpp"

#include <algorithm>
#include <cstdint>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// The control characters that JSON has a letter for, and the letters.
constexpr std::string_view kControls = "\b\t\n\f\r";
constexpr std::string_view kLetters = "btnfr";

void append_percent(char c, std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<std::uint8_t>(c);
  text += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
}

void append_control(char c, std::string& text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::size_t letter = kControls.find(c);
  const auto byte = static_cast<std::uint8_t>(c);
  if (letter != std::string_view::npos) {
    text += {'\\', kLetters[letter]};
  } else {
    text += {'\\', 'u', '0', '0', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The byte of two hexadecimal digits at the start of the text, or -1.
int hex_byte(std::string_view text) {
  if (text.size() < 2) return -1;
  const int high = hex_value(text[0]);
  const int low = hex_value(text[1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Takes one escape from the front of the text; -1 when it is none, or that of NUL.
int take_escape(std::string_view& text) {
  const bool percent = text.front() == '%';
  const bool unicode = text.starts_with("\\u00");
  const std::size_t head = percent ? 1 : unicode ? 4 : 2;
  if (text.size() < head) return -1;
  const char c = text[head - 1];
  text.remove_prefix(head);
  if (percent || unicode) {
    const int byte = hex_byte(text);
    text.remove_prefix(byte < 0 ? 0 : 2);
    return byte == 0 ? -1 : byte;
  }
  if (c == '"' || c == '\\') return c;
  const std::size_t letter = kLetters.find(c);
  return letter == std::string_view::npos ? -1 : kControls[letter];
}

}  // namespace

void append_path_text(std::string_view path, std::string& text) {
  while (!path.empty()) {
    const char c = path.front();
    std::size_t length = 1;
    if (is_plain(c)) {
      const auto* const end = std::find_if_not(path.begin(), path.end(), is_plain);
      length = static_cast<std::size_t>(end - path.begin());
      text += path.substr(0, length);
    } else if (c == '"' || c == '\\') {
      text += {'\\', c};
    } else if (c >= 0 && c < 0x20) {
      append_control(c, text);
    } else if (const std::size_t sequence = c == '%' ? 0 : utf8_sequence(path); sequence != 0) {
      length = sequence;
      text += path.substr(0, length);
    } else {
      append_percent(c, text);
    }
    path.remove_prefix(length);
  }
}

bool append_path_bytes(std::string_view text, std::string& path) {
  while (!text.empty()) {
    const auto* const escape = std::find_if(text.begin(), text.end(), [](char c) { return c == '%' || c == '\\'; });
    const auto plain = static_cast<std::size_t>(escape - text.begin());
    path += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const int byte = take_escape(text);
    if (byte < 0) return false;
    path += static_cast<char>(byte);
  }
  return true;
}

}  // namespace trainyard
