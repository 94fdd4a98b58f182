// SPDX-License-Identifier: Apache-2.0
#include "runner/core/event_target.hpp"

#include <algorithm>

namespace trainyard {

namespace {

constexpr std::string_view kEndpoint = "/api/v1/lineage";
constexpr std::string_view kFile = "file://";

Error refusal(std::string_view url, const std::string& rule) {
  return fail(Errc::invalid, "the address '" + std::string(url) + "' " + rule);
}

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> unescaped(std::string_view path, std::string_view url) {
  std::string bytes;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      bytes += path[i];
      continue;
    }
    if (i + 2 >= path.size() || value_of(path[i + 1]) < 0 || value_of(path[i + 2]) < 0)
      return refusal(url, "has a '%' that two hexadecimal digits do not follow");
    bytes += static_cast<char>(value_of(path[i + 1]) * 16 + value_of(path[i + 2]));
    i += 2;
  }
  return bytes;
}

Result<EventTarget> file_target(std::string_view url) {
  std::string path = TRY(unescaped(url.substr(kFile.size()), url));
  if (!path.starts_with('/'))
    return refusal(url, "must name a file by its whole path, as in file:///var/log/events.jsonl");
  if (path.ends_with('/') || path.find('\0') != std::string::npos) return refusal(url, "names no file");
  return EventTarget{EventTarget::Kind::file, std::move(path)};
}

Result<EventTarget> http_target(std::string_view url) {
  const std::string_view rest = url.substr(url.find("//") + 2);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty()) return refusal(url, "names no host");
  if (authority.find('@') != std::string_view::npos)
    return fail(Errc::invalid,
                "the address has a user in it, and a password would be kept where everybody can read it");
  if (rest.find_first_of("?#") != std::string_view::npos) return refusal(url, "must have neither '?' nor '#'");
  while (url.ends_with('/')) url.remove_suffix(1);
  return EventTarget{EventTarget::Kind::http,
                     std::string(url) + std::string(url.ends_with(kEndpoint) ? std::string_view() : kEndpoint)};
}

}  // namespace

Result<EventTarget> EventTarget::parse(std::string_view url) {
  const auto stray = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; };
  if (std::any_of(url.begin(), url.end(), stray)) return refusal(url, "has a space or a control character in it");
  if (url.starts_with(kFile)) return file_target(url);
  if (url.starts_with("http://") || url.starts_with("https://")) return http_target(url);
  return refusal(url, "must begin with http://, https:// or file://");
}

Receipt receipt_of(long http_status) {
  constexpr long kRequestTimeout = 408;
  constexpr long kTooManyRequests = 429;
  if (http_status >= 200 && http_status < 300) return Receipt::taken;
  const bool later = http_status == kRequestTimeout || http_status == kTooManyRequests;
  return http_status >= 300 && http_status < 500 && !later ? Receipt::refused : Receipt::missed;
}

}  // namespace trainyard
