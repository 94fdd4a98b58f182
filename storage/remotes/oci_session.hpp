// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "storage/http/http_client.hpp"
#include "storage/remotes/oci_headers.hpp"
#include "storage/remotes/oci_login.hpp"
#include "storage/remotes/remote_address.hpp"

namespace trainyard {

// Requests to one registry, as somebody whom it knows: Basic, or Bearer with a token of the server that it names. A login
// is looked up when the registry itself first asks who is there, and goes to the registry and to that server alone, never
// with less TLS than the registry has. Thread-safe; `http` outlives it.
class OciSession {
 public:
  OciSession(const RemoteAddress& address, HttpClient& http, Environment environment);

  // "https://host/v2/…"
  [[nodiscard]] std::string url(const std::string& path) const { return origin_ + "/v2/" + path; }
  // Of a URL of this registry, or one that it answered with. `about` is the repository, whose tokens are kept apart. A
  // request that reads follows redirections. What the registry refuses in the end is the answer.
  Result<HttpAnswer> send(const std::string& about, HttpRequest request);

  // "oci://host/prefix": for errors.
  [[nodiscard]] const std::string& text() const { return text_; }
  // Why an answer is not what was asked for, in a sentence: "cannot <action>: …".
  [[nodiscard]] Error refusal(const std::string& action, const HttpAnswer& answer) const;

 private:
  enum class Aim { read, write, remove };  // tokens are for one of these
  static Aim aim_of(const std::string& method);

  Result<HttpAnswer> send_once(HttpRequest request, const std::string& authorization);
  // What to put into Authorization after such a challenge; empty: the registry wants what nobody here has.
  Result<std::string> authorization_for(const HttpAnswer& challenge);
  Result<std::string> token_for(const AuthChallenge& challenge, const std::optional<OciLogin>& login);
  Result<std::optional<OciLogin>> login();

  const std::string origin_;
  const std::string registry_;  // host[:port]
  const std::string text_;
  HttpClient& http_;
  const Environment environment_;
  std::mutex mutex_;
  std::map<std::pair<std::string, Aim>, std::string> authorizations_;  // guarded by mutex_, as is the next
  std::optional<std::optional<OciLogin>> login_;
};

}  // namespace trainyard
