// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote_address.hpp"

#include <algorithm>
#include <string>

#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kForms =
    "an address is 'file:///folder', 's3://bucket/prefix', 'oci://registry/prefix' or 'oci+http://registry/prefix'";

std::string_view trimmed(std::string_view path) {
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

Result<void> read_query(std::string_view query, RemoteAddress& address) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (key == "endpoint") {
      const bool web = value.substr(0, 7) == "http://" || value.substr(0, 8) == "https://";
      if (!web) return fail(Errc::invalid, "the endpoint of an S3 remote begins with 'http://' or 'https://'");
      address.endpoint = value;
      while (!address.endpoint.empty() && address.endpoint.back() == '/') address.endpoint.pop_back();
    } else if (key == "region") {
      if (value.empty() || !is_plain(value, "-_")) return fail(Errc::invalid, "the region of an S3 remote is a word");
      address.region = value;
    } else {
      return fail(Errc::invalid, "an S3 remote has no option '" + std::string(key) + "'" +
                                     did_you_mean(key, {"endpoint", "region"}) + "; there are 'endpoint' and 'region'");
    }
  }
  return {};
}

}  // namespace

Result<RemoteAddress> RemoteAddress::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  if (colon == std::string_view::npos)
    return fail(Errc::invalid, "'" + std::string(text) + "' is no address; " + std::string(kForms));
  std::string_view rest = text.substr(colon + 1);
  if (rest.find('@') != std::string_view::npos)
    return fail(Errc::invalid,
                "an address holds no '@', because no user or password belongs in it; set them in the "
                "environment or in the ecosystem's own file (README.md, \"Publish\")");
  RemoteAddress address;
  if (scheme == "file") {
    if (rest.substr(0, 2) == "//") rest.remove_prefix(2);
    if (rest.empty() || rest.front() != '/')
      return fail(Errc::invalid, "'" + std::string(text) + "' names no folder from the root: 'file:///srv/models'");
    while (rest.size() > 1 && rest.back() == '/') rest.remove_suffix(1);
    address.place = rest;
    return address;
  }
  if (scheme == "s3") {
    address.kind = Kind::s3;
  } else if (scheme == "oci" || scheme == "oci+http") {
    address.kind = Kind::oci;
    address.tls = scheme == "oci";
  } else {
    return fail(Errc::invalid, "'" + std::string(scheme) + "' is no kind of remote" +
                                   did_you_mean(scheme, {"file", "s3", "oci", "oci+http"}) + "; " +
                                   std::string(kForms));
  }
  if (rest.substr(0, 2) != "//")
    return fail(Errc::invalid, "'" + std::string(text) + "' is no address; " + std::string(kForms));
  rest.remove_prefix(2);
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    if (address.kind != Kind::s3) return fail(Errc::invalid, "only the address of an S3 remote has options");
    TRY(read_query(rest.substr(mark + 1), address));
    rest = rest.substr(0, mark);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  address.place = rest.substr(0, slash);
  address.prefix = trimmed(rest.substr(slash));
  const bool s3 = address.kind == Kind::s3;
  if (address.place.empty() || !is_plain(address.place, s3 ? ".-_" : ".-_:[]"))
    return fail(Errc::invalid,
                "'" + std::string(text) + "' names no " + (s3 ? "bucket" : "registry") + "; " + std::string(kForms));
  // Repositories are lower case: distribution-spec 1.1, "Pulling manifests".
  const bool lower =
      std::none_of(address.prefix.begin(), address.prefix.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!address.prefix.empty() &&
      (has_dot_parts(address.prefix) || !is_plain(address.prefix, "._-/") || (!s3 && !lower)))
    return fail(Errc::invalid, "what follows the " + std::string(s3 ? "bucket" : "registry") + " in '" +
                                   std::string(text) + "' is made of " + (s3 ? "letters" : "lower case letters") +
                                   ", digits, '.', '_', '-' and '/'");
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
