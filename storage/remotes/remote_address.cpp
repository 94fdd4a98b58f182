// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote_address.hpp"

#include <algorithm>
#include <string>

#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kForms =
    "an address is 'file:///folder', 's3://bucket/prefix', 'oci://registry/prefix' or 'oci+http://registry/prefix'";

std::string_view without_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

bool is_plain(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

bool has_dot_parts(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port >= 1 && port <= 65535;
}

// A name, an IPv4 address, or an IPv6 address in brackets; then a port, or none.
bool is_host(std::string_view text) {
  const bool bracketed = text.substr(0, 1) == "[";
  const std::size_t end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return false;
  const std::string_view host = text.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0));
  const std::string_view rest = text.substr(std::min(end + (bracketed ? 1 : 0), text.size()));
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return false;
  if (bracketed)
    return host.find(':') != std::string_view::npos &&
           host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  const std::string_view edges = ".-";
  return !host.empty() && is_plain(host, ".-_") && edges.find(host.front()) == std::string_view::npos &&
         edges.find(host.back()) == std::string_view::npos && host.find("..") == std::string_view::npos;
}

bool is_endpoint(std::string_view text) {
  const std::size_t scheme = text.substr(0, 7) == "http://" ? 7 : text.substr(0, 8) == "https://" ? 8 : 0;
  if (scheme == 0) return false;
  text.remove_prefix(scheme);
  const std::size_t slash = std::min(text.find('/'), text.size());
  return is_host(text.substr(0, slash)) && is_plain(text.substr(slash), "/._-");
}

Result<void> read_option(std::string_view key, std::string_view value, RemoteAddress& address) {
  if (key == "endpoint") {
    while (!value.empty() && value.back() == '/') value.remove_suffix(1);
    if (!is_endpoint(value) || !address.endpoint.empty())
      return fail(Errc::invalid,
                  "the endpoint of an S3 remote is told once, and is 'http://' or 'https://' and a host");
    address.endpoint = value;
    return {};
  }
  if (key == "region") {
    if (value.empty() || !is_plain(value, "-_") || !address.region.empty())
      return fail(Errc::invalid, "the region of an S3 remote is told once, and is a word");
    address.region = value;
    return {};
  }
  return fail(Errc::invalid, "an S3 remote has no such option" + did_you_mean(key, {"endpoint", "region"}) +
                                 "; there are 'endpoint' and 'region'");
}

Result<void> read_query(std::string_view query, RemoteAddress& address) {
  for (;;) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    TRY(read_option(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())), address));
    if (end == query.size()) return {};
    query.remove_prefix(end + 1);
  }
}

Result<RemoteAddress> parse_folder(std::string_view rest) {
  if (rest.substr(0, 2) == "//") rest.remove_prefix(2);
  if (rest.empty() || rest.front() != '/')
    return fail(Errc::invalid,
                "the address names no folder from the root, as 'file:///srv/models' does; no host is told");
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return fail(Errc::invalid, "the address of a folder has no control characters");
  RemoteAddress address;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part == "..") return fail(Errc::invalid, "the address of a folder has no '..' in it");
    if (!part.empty() && part != ".") address.place += "/" + std::string(part);
  }
  if (address.place.empty()) address.place = "/";
  return address;
}

// Registries refuse other repositories: distribution-spec 1.1, "Pulling manifests".
bool is_repository(std::string_view path) {
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || !edge(part.front()) || !edge(part.back())) return false;
    if (!std::all_of(part.begin(), part.end(), [&](char c) { return edge(c) || c == '.' || c == '_' || c == '-'; }))
      return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

}  // namespace

// What is wrong with an address may be a password in it, so no error repeats it.
Result<RemoteAddress> RemoteAddress::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  if (scheme == "file" && colon != std::string_view::npos) return parse_folder(text.substr(colon + 1));
  if (text.find('@') != std::string_view::npos)
    return fail(Errc::invalid,
                "an address holds no '@', because no user or password belongs in it; set them in the "
                "environment or in the ecosystem's own file (README.md, \"Publish\")");
  if (colon == std::string_view::npos)
    return fail(Errc::invalid, "this is no address of a remote; " + std::string(kForms));
  std::string_view rest = text.substr(colon + 1);
  RemoteAddress address;
  if (scheme == "s3") {
    address.kind = Kind::s3;
  } else if (scheme == "oci" || scheme == "oci+http") {
    address.kind = Kind::oci;
    address.tls = scheme == "oci";
  } else {
    return fail(Errc::invalid, "this address is of no kind of remote" +
                                   did_you_mean(scheme, {"file", "s3", "oci", "oci+http"}) + "; " +
                                   std::string(kForms));
  }
  const bool s3 = address.kind == Kind::s3;
  const std::string what = s3 ? "bucket" : "registry";
  if (rest.substr(0, 2) != "//")
    return fail(Errc::invalid, "the address names no " + what + "; " + std::string(kForms));
  rest.remove_prefix(2);
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    if (!s3) return fail(Errc::invalid, "only the address of an S3 remote has options");
    TRY(read_query(rest.substr(mark + 1), address));
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  address.place = rest.substr(0, slash);
  address.prefix = without_slashes(rest.substr(slash));
  if (s3 ? address.place.empty() || !is_plain(address.place, ".-_") : !is_host(address.place))
    return fail(Errc::invalid, "the address names no " + what + "; " + std::string(kForms));
  if (s3 ? has_dot_parts(address.prefix) || !is_plain(address.prefix, "._-/") : !is_repository(address.prefix))
    return fail(Errc::invalid, "what follows the " + what + " in the address is made of " +
                                   (s3 ? "letters" : "lower case letters") + ", digits, '.', '_', '-' and '/'" +
                                   (s3 ? "" : ", each part beginning and ending with a letter or digit"));
  return address;
}

std::string RemoteAddress::text() const {
  if (kind == Kind::folder) return "file://" + place;
  std::string text = (kind == Kind::s3 ? "s3://" : tls ? "oci://" : "oci+http://") + place;
  if (!prefix.empty()) text += "/" + prefix;
  std::string query;
  if (!endpoint.empty()) query += "&endpoint=" + endpoint;
  if (!region.empty()) query += "&region=" + region;
  if (!query.empty()) query.front() = '?';
  return text + query;
}

}  // namespace trainyard
