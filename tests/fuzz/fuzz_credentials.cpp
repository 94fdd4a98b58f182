// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_credentials.hpp"
#include "storage/remotes/oci_headers.hpp"
#include "storage/remotes/oci_login.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/values/base64.hpp"
#include "storage/values/names.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/scripted_server.hpp"

using namespace trainyard;

namespace {

// Wherever it stands in what is read, it is in no refusal.
constexpr std::string_view kSecret = "S3CR3T";

void require_no_secret(const Error& error) {
  fuzz::require_sentence(error);
  fuzz::require(error.message.find(kSecret) == std::string::npos, "a secret is in no refusal: " + error.message);
  // Of "ada:S3CR3T" and the like: from any of the three places that the secret can have.
  for (const std::string_view coded : {"UzNDUjNU", "MzQ1IzV", "TM0NSM1"})
    fuzz::require(error.message.find(coded) == std::string::npos, "nor as base64");
}

// Both files, of the profile that the environment names or of the default.
void find_s3_settings(std::string_view text, const char* profile) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  AwsSources sources{{},
                     "credentials",
                     "config",
                     std::string(text.substr(0, end)),
                     std::string(text.substr(std::min(end + 1, text.size())))};
  if (profile != nullptr) sources.environment["AWS_PROFILE"] = profile;
  const RemoteAddress address = RemoteAddress::parse("s3://bucket").value();
  const auto settings = s3_settings(address, sources);
  if (!settings.ok()) return require_no_secret(settings.error());
  fuzz::require(!settings->credentials.access_key_id.empty() && !settings->credentials.secret_access_key.empty(),
                "credentials are whole");
  const std::string& endpoint = settings->endpoint;
  fuzz::require(endpoint.starts_with("http://") || endpoint.starts_with("https://"), "an endpoint has a scheme");
}

void find_login(std::string_view text) {
  const auto entry = login_entry_in(text, "r.example.com:5000", "auth.json");
  if (!entry.ok()) return require_no_secret(entry.error());
  if (entry->login)
    fuzz::require(!entry->login->user.empty() || !entry->login->identity_token.empty(), "somebody logs in");
}

void take_printed_login(std::string_view text) {
  const auto login = login_printed(text);
  if (!login.ok()) return require_no_secret(login.error());
  fuzz::require(login->identity_token.empty() == !login->user.empty(), "a login is of one kind");
}

void read_address(std::string_view text) {
  const auto address = RemoteAddress::parse(text);
  if (!address.ok()) return require_no_secret(address.error());
  const std::string written = address->text();
  const auto again = RemoteAddress::parse(written);
  fuzz::require(again.ok() && *again == *address && again->text() == written, "an address is read as it was written");
  if (address->kind != RemoteAddress::Kind::folder)
    fuzz::require(written.find('@') == std::string::npos && printable(written) == written, "nobody is in an address");
}

std::string in_quotes(std::string_view text) {
  std::string value = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') value += '\\';
    value += c;
  }
  return value + '"';
}

void read_challenges(std::string_view text) {
  const auto challenges = challenges_in(text);
  std::string written;
  for (const AuthChallenge& challenge : challenges) {
    fuzz::require(!challenge.scheme.empty() && folded_case(challenge.scheme) == challenge.scheme, "a scheme is a word");
    written += (written.empty() ? "" : ", ") + challenge.scheme;
    bool first = true;
    for (const auto& [name, value] : challenge.parameters) {
      written += (first ? " " : ", ") + name + "=" + in_quotes(value);
      first = false;
    }
  }
  fuzz::require(challenges_in(written) == challenges, "a challenge is read as it was written");
}

void follow_link(std::string_view text) {
  const std::string base = "https://r.example.com/v2/a/tags/list?n=1000";
  const auto next = next_page_in(text);
  const std::string reference = next.value_or(std::string(text));
  const std::string url = resolved_url(base, reference);
  const std::string_view path = std::string_view(reference).substr(0, reference.find_first_of("/?#"));
  const bool elsewhere = reference.starts_with("//") || reference.substr(path.size()).starts_with("//");
  if (!elsewhere) fuzz::require(origin_of(url) == origin_of(base), "a path leads to nobody else");
  const std::string shown = shown_url(url);
  fuzz::require(printable(shown) == shown && shown_url(url + "?query") == shown, "no query is shown");
  if (const auto bytes = uploaded_in(text); bytes && *bytes > 0)
    fuzz::require(uploaded_in("bytes=0-" + std::to_string(*bytes - 1)) == bytes, "a range is read as it was written");
  const std::string encoded = percent_encoded(text);
  fuzz::require(encoded.find_first_of("&=?#+ /\r\n") == std::string::npos, "what is encoded stays one value");
}

}  // namespace

// What tells who somebody is, and where that is asked. The first byte tells what it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'a': find_s3_settings(text, nullptr); break;
    case 'w': find_s3_settings(text, "work"); break;
    case 'd': find_login(text); break;
    case 'p': take_printed_login(text); break;
    case 'c': read_challenges(text); break;
    case 'l': follow_link(text); break;
    default: read_address(text);
  }
  return 0;
}
