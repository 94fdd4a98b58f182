// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a registry says in the headers of its answers.
namespace trainyard {

// How a server wants to be asked: RFC 9110, section 11.6.1.
struct AuthChallenge {
  std::string scheme;                             // in lower case: "basic", "bearer"
  std::map<std::string, std::string> parameters;  // names in lower case

  [[nodiscard]] std::string parameter(const std::string& name) const;
  friend bool operator==(const AuthChallenge&, const AuthChallenge&) = default;
};

// Those of one WWW-Authenticate header, in its order; what cannot be read is left out.
std::vector<AuthChallenge> challenges_in(std::string_view header);

// Where the next page is, of `</v2/_catalog?n=5&last=e>; rel="next"` (RFC 8288).
std::optional<std::string> next_page_in(std::string_view link_header);

// How many bytes a registry has of an upload, of "0-4" or "bytes=0-4"; it says "0-0" for none and for one.
std::optional<std::uint64_t> uploaded_in(std::string_view range_header);

// Where a part begins, of "bytes 5-9/10" or "bytes 5-9/*" (RFC 9110, section 14.4).
std::optional<std::uint64_t> first_in(std::string_view content_range_header);

// A reference as it stands in Location, made absolute: RFC 3986, section 5.2, without dot segments. REQUIRES: `base` is
// an absolute URL.
std::string resolved_url(std::string_view base, std::string_view reference);

// "https://host:port": who a URL leads to; without the port that its scheme has anyway.
std::string origin_of(std::string_view url);

// For people: without the query, which may be as good as a password.
std::string shown_url(std::string_view url);

// For a query: RFC 3986, section 2.1.
std::string percent_encoded(std::string_view text);

}  // namespace trainyard
