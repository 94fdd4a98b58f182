// SPDX-License-Identifier: Apache-2.0
#include "storage/values/rel_path.hpp"

#include <cstdint>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string escaped(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = bytes.front() == '%' ? 0 : utf8_sequence(bytes);
    if (length == 0) {
      const auto byte = static_cast<std::uint8_t>(bytes.front());
      text += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return text;
}

int upper_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error invalid_path(std::string_view bytes, const std::string& why) {
  return fail(Errc::invalid, "the path '" + escaped(bytes.substr(0, 200)) + "' " + why);
}

}  // namespace

Result<void> RelPath::check(std::string_view bytes) {
  if (bytes.empty()) return fail(Errc::invalid, "a path is empty");
  if (bytes.front() == '/') return invalid_path(bytes, "is absolute; give one relative to its folder");
  if (bytes.size() > kMaxBytes) return invalid_path(bytes, "is longer than 4096 bytes");
  if (bytes.find('\0') != std::string_view::npos) return invalid_path(bytes, "contains a NUL byte");
  for (std::size_t begin = 0; begin <= bytes.size();) {
    const std::size_t end = std::min(bytes.find('/', begin), bytes.size());
    const std::string_view name = bytes.substr(begin, end - begin);
    if (name.empty()) return invalid_path(bytes, "has an empty name in it");
    if (name == "." || name == "..")
      return invalid_path(bytes, "has '" + std::string(name) + "' in it, so it could leave its folder");
    if (name.size() > kMaxNameBytes) return invalid_path(bytes, "has a name longer than 255 bytes");
    begin = end + 1;
  }
  return {};
}

Result<RelPath> RelPath::parse(std::string_view bytes) {
  TRY(check(bytes));
  return RelPath(std::string(bytes));
}

Result<RelPath> RelPath::from_text(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? upper_hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? upper_hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return fail(Errc::invalid, "the path text '" + std::string(text) + "' has a '%' without two hexadecimal digits");
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  auto path = TRY(parse(bytes));
  if (path.text() != text)
    return fail(Errc::invalid, "the path text '" + std::string(text) + "' is not in its one escaped form");
  return path;
}

std::string RelPath::text() const { return escaped(bytes_); }

std::string_view RelPath::name() const {
  const std::size_t slash = bytes_.rfind('/');
  return slash == std::string::npos ? std::string_view(bytes_) : std::string_view(bytes_).substr(slash + 1);
}

bool RelPath::is_within(const RelPath& folder) const {
  return bytes_ == folder.bytes_ || (bytes_.starts_with(folder.bytes_) && bytes_[folder.bytes_.size()] == '/');
}

Result<RelPath> RelPath::child(std::string_view name) const { return parse(bytes_ + "/" + std::string(name)); }

}  // namespace trainyard
