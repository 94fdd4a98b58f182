// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_headers.hpp"

#include <algorithm>

#include "storage/values/names.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads a header from left to right.
class HeaderText {
 public:
  explicit HeaderText(std::string_view text) : rest_(text) {}

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }
  std::string_view token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token);
    return take(static_cast<std::size_t>(end - rest_.begin()));
  }
  // A token, a quoted string, or the text of credentials that are 68 characters by kind.
  std::string value() {
    if (!begins('"')) return std::string(take(std::min(rest_.find_first_of(",; \t"), rest_.size())));
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
    return text;
  }
  [[nodiscard]] bool begins(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool over() const { return rest_.empty(); }
  void drop() { rest_.remove_prefix(std::min<std::size_t>(1, rest_.size())); }
  // Whether a parameter stands here: a token and '='.
  [[nodiscard]] bool at_parameter() const {
    HeaderText ahead = *this;
    const bool named = !ahead.token().empty();
    ahead.skip(" \t");
    return named && ahead.begins('=');
  }

 private:
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
};

}  // namespace

std::string AuthChallenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? "" : found->second;
}

std::vector<AuthChallenge> challenges_in(std::string_view header) {
  std::vector<AuthChallenge> challenges;
  HeaderText text(header);
  for (text.skip(" \t,"); !text.over(); text.skip(" \t,")) {
    const bool parameter = text.at_parameter();
    const std::string name = folded_case(text.token());
    if (name.empty()) {
      text.drop();
      continue;
    }
    if (!parameter) {
      challenges.push_back({name, {}});
      continue;
    }
    text.skip(" \t");
    text.drop();
    text.skip(" \t");
    std::string value = text.value();
    if (!challenges.empty()) challenges.back().parameters.emplace(name, std::move(value));
  }
  return challenges;
}

std::optional<std::string> next_page_in(std::string_view link_header) {
  while (!link_header.empty()) {
    const std::size_t begin = link_header.find('<');
    const std::size_t end = link_header.find('>', std::min(begin, link_header.size()));
    if (begin == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
    std::string target(link_header.substr(begin + 1, end - begin - 1));
    link_header.remove_prefix(end + 1);
    HeaderText parameters(link_header.substr(0, link_header.find('<')));
    for (parameters.skip(" \t;"); parameters.at_parameter(); parameters.skip(" \t;")) {
      const std::string name = folded_case(parameters.token());
      parameters.skip(" \t=");
      const std::string value = folded_case(parameters.value());
      if (name == "rel" && value == "next") return target;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> uploaded_in(std::string_view range_header) {
  if (range_header.substr(0, 6) == "bytes=") range_header.remove_prefix(6);
  if (range_header.substr(0, 2) != "0-") return std::nullopt;
  const auto last = number_in<std::uint64_t>(range_header.substr(2));
  if (!last || *last == UINT64_MAX) return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

std::optional<std::uint64_t> first_in(std::string_view content_range_header) {
  if (folded_case(content_range_header.substr(0, 6)) != "bytes ") return std::nullopt;
  content_range_header.remove_prefix(6);
  const std::size_t dash = content_range_header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return number_in<std::uint64_t>(content_range_header.substr(0, dash));
}

std::string resolved_url(std::string_view base, std::string_view reference) {
  const std::size_t scheme = reference.find("://");
  if (scheme != std::string_view::npos && scheme < reference.find_first_of("/?#")) return std::string(reference);
  if (reference.substr(0, 2) == "//") return std::string(base.substr(0, base.find("//"))) + std::string(reference);
  if (reference.substr(0, 1) == "/") return origin_of(base) + std::string(reference);
  const std::string_view path = base.substr(0, base.find_first_of("?#"));
  if (reference.substr(0, 1) == "?") return std::string(path) + std::string(reference);
  return std::string(path.substr(0, path.rfind('/') + 1)) + std::string(reference);
}

std::string origin_of(std::string_view url) {
  const std::size_t host = url.find("://");
  if (host == std::string_view::npos) return "";
  std::string origin = folded_case(url.substr(0, url.find_first_of("/?#", host + 3)));
  const std::string_view usual = origin.substr(0, host) == "https" ? ":443" : ":80";
  if (origin.size() > usual.size() && std::string_view(origin).substr(origin.size() - usual.size()) == usual)
    origin.resize(origin.size() - usual.size());
  return origin;
}

std::string shown_url(std::string_view url) { return printable(url.substr(0, url.find('?'))); }

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return encoded;
}

}  // namespace trainyard
