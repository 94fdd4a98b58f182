// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/key_name.hpp"

#include <algorithm>
#include <string>

namespace trainyard {

namespace {

constexpr std::size_t kMostKey = 1024;  // S3's bound
constexpr std::size_t kMostPart = 255;  // that of most file systems

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_key_part(std::string_view part) {
  return !part.empty() && part.size() <= kMostPart && part != "." && part != ".." &&
         std::all_of(part.begin(), part.end(), is_key_character);
}

Result<void> check_key(std::string_view key) {
  bool good = key.size() <= kMostKey;
  for (std::string_view rest = key; good;) {
    const std::size_t slash = rest.find('/');
    good = is_key_part(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (good) return {};
  std::string shown(key.substr(0, kMostKey));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fail(Errc::invalid,
              "'" + shown + "' is no key: parts of letters, digits, '.', '_' and '-' that are joined by '/'");
}

Result<void> check_key_prefix(std::string_view prefix) {
  if (prefix.empty()) return {};
  return check_key(prefix.back() == '/' ? prefix.substr(0, prefix.size() - 1) : prefix);
}

}  // namespace trainyard
