// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_text.hpp"

#include <algorithm>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// What printf '%b' reads as one byte.
std::string octal(char character) {
  const auto byte = static_cast<unsigned char>(character);
  std::string text = "\\0";
  for (const unsigned shift : {6U, 3U, 0U}) text += static_cast<char>('0' + ((byte >> shift) & 7U));
  return text;
}

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string argo_escaped(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool doubled = (c == '{' || c == '}') && (next == c || (i > 0 && text[i - 1] == c));
    const bool expanded = c == '$' && (next == '(' || next == '$');
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (doubled || expanded || byte < 0x20 || byte == 0x7F) {
      escaped += octal(c);
    } else if (byte >= 0xF0) {
      // The lead of a character of four bytes.
      const std::size_t end = std::min(i + 4, text.size());
      for (; i < end; ++i) escaped += octal(text[i]);
      --i;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string argo_prose(std::string_view text) {
  std::string prose;
  for (const char c : text) {
    if ((c == '{' || c == '}') && prose.ends_with(c)) prose += ' ';
    prose += static_cast<unsigned char>(c) < 0x20 || c == '\x7F' ? ' ' : c;
  }
  return prose;
}

bool is_argo_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestArgoName && is_lower_or_digit(text.front()) &&
         is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

std::string argo_name(std::string_view run_name) {
  std::string name;
  for (const char c : run_name) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.size() <= kLongestArgoName) return name;
  constexpr std::size_t kDigits = 8;
  name.resize(kLongestArgoName - kDigits - 1);
  while (name.ends_with('-')) name.pop_back();
  return name + "-" + sha256(run_name).hex().substr(0, kDigits);
}

}  // namespace trainyard
