// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_session.hpp"

#include <algorithm>
#include <utility>

#include "storage/values/base64.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

namespace {

constexpr int kMostRedirections = 5;

bool is_redirection(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool has_tls(std::string_view url) { return origin_of(url).substr(0, 8) == "https://"; }

std::string basic(const OciLogin& login) { return "Basic " + base64(login.user + ":" + login.password); }

// The query of a URL that a registry made up may open doors, so errors do without it.
Error without_query(Error error, const std::string& url) {
  const std::size_t query = url.find('?');
  if (query == std::string::npos) return error;
  const std::string secret = url.substr(query);
  for (std::size_t at = error.message.find(secret); at != std::string::npos; at = error.message.find(secret))
    error.message.erase(at, secret.size());
  return error;
}

// Docker Hub is called otherwise than the host that speaks the protocol.
std::string host_of(const std::string& registry) { return registry == "docker.io" ? "registry-1.docker.io" : registry; }

// In the query of a GET there is a parameter for each scope, in the form of a POST one for all: RFC 6749, section 3.3.
enum class Scopes { each, together };

std::string token_query(const AuthChallenge& challenge, Scopes form) {
  std::string query;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) query += (query.empty() ? "" : "&") + name + "=" + percent_encoded(value);
  };
  add("service", challenge.parameter("service"));
  std::string scopes = challenge.parameter("scope");
  if (form == Scopes::together) add("scope", std::exchange(scopes, ""));
  while (!scopes.empty()) {
    const std::size_t end = std::min(scopes.find(' '), scopes.size());
    add("scope", scopes.substr(0, end));
    scopes.erase(0, end + 1);
  }
  return query;
}

}  // namespace

OciSession::OciSession(const RemoteAddress& address, HttpClient& http, Environment environment)
    : origin_((address.tls ? "https://" : "http://") + host_of(address.place)),
      registry_(address.place),
      text_(address.text()),
      http_(http),
      environment_(std::move(environment)) {}

OciSession::Aim OciSession::aim_of(const std::string& method) {
  if (method == "GET" || method == "HEAD") return Aim::read;
  return method == "DELETE" ? Aim::remove : Aim::write;
}

Result<HttpAnswer> OciSession::send(const std::string& about, HttpRequest request) {
  const std::pair key(about, aim_of(request.method));
  std::string authorization;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = authorizations_.find(key); known != authorizations_.end()) authorization = known->second;
  }
  const HttpAnswer answer = TRY(send_once(request, authorization));
  if (answer.status != 401) return answer;
  authorization = TRY(authorization_for(answer));
  if (authorization.empty()) return answer;
  auto again = send_once(std::move(request), authorization);
  const std::lock_guard lock(mutex_);
  if (again.ok() && again->status == 401) {
    authorizations_.erase(key);
  } else {
    authorizations_[key] = authorization;
  }
  return again;
}

Result<HttpAnswer> OciSession::send_once(HttpRequest request, const std::string& authorization) {
  const bool reads = aim_of(request.method) == Aim::read;
  const auto headers = request.headers;
  for (int redirections = 0;; ++redirections) {
    if (has_tls(origin_) && !has_tls(request.url))
      return fail(Errc::incompatible, "'" + text_ + "' leads to '" + shown_url(request.url) +
                                          "', which has no TLS; the registry must be told its own address");
    request.headers = headers;
    // Whoever else it leads to learns nothing about the login, and cannot ask for it to be taken elsewhere.
    const bool own = origin_of(request.url) == origin_of(origin_);
    if (!authorization.empty() && own) request.headers.push_back({"Authorization", authorization});
    auto answer = http_.send(request);
    if (!answer.ok()) return within("'" + text_ + "'", without_query(std::move(answer).error(), request.url));
    if (!own) std::erase_if(answer->headers, [](const HttpHeader& each) { return each.name == "www-authenticate"; });
    const auto location = answer->header("location");
    if (!reads || !is_redirection(answer->status) || !location) return answer;
    if (redirections == kMostRedirections)
      return fail(Errc::incompatible, "'" + text_ + "' leads from one address to the next without an end");
    request.url = resolved_url(request.url, *location);
  }
}

Result<std::string> OciSession::authorization_for(const HttpAnswer& challenge) {
  const std::optional<OciLogin> known = TRY(login());
  for (const HttpHeader& header : challenge.headers) {
    if (header.name != "www-authenticate") continue;
    for (const AuthChallenge& each : challenges_in(header.value)) {
      if (each.scheme == "basic" && known && !known->user.empty()) return basic(*known);
      if (each.scheme == "bearer") return token_for(each, known);
    }
  }
  return std::string();
}

Result<std::string> OciSession::token_for(const AuthChallenge& challenge, const std::optional<OciLogin>& login) {
  const std::string realm = challenge.parameter("realm");
  const bool usable = has_tls(realm) || (!has_tls(origin_) && origin_of(realm).substr(0, 7) == "http://");
  if (!usable)
    return fail(Errc::incompatible,
                "'" + text_ + "' wants a token from '" + shown_url(realm) + "', which has less TLS than itself");
  const std::string query = token_query(challenge, Scopes::each);
  HttpRequest request{"GET", realm + (realm.find('?') == std::string::npos ? "?" : "&") + query};
  std::string form;
  if (login && !login->identity_token.empty()) {
    form = "grant_type=refresh_token&client_id=trainyard&" + token_query(challenge, Scopes::together) +
           "&refresh_token=" + percent_encoded(login->identity_token);
    request = {"POST", realm, {{"Content-Type", "application/x-www-form-urlencoded"}}, HttpBody::of(form)};
  } else if (login) {
    request.headers.push_back({"Authorization", basic(*login)});
  }
  const auto answer = http_.send(request);
  if (!answer.ok()) return within("'" + text_ + "'", answer.error());
  const std::string server = "'" + shown_url(realm) + "', which gives out tokens for '" + text_ + "',";
  if (answer->status == 429 || answer->status >= 500)
    return fail(Errc::unavailable, server + " cannot answer now (status " + std::to_string(answer->status) + ")");
  if (answer->status != 200)
    return fail(Errc::invalid, server + " refuses the login (status " + std::to_string(answer->status) +
                                   "); log in again, as with 'skopeo login " + registry_ + "'");
  const auto json = parse_json(answer->body, "a token");
  if (json.ok() && json->is_object()) {
    for (const char* const name : {"token", "access_token"})
      if (const auto token = json->find(name); token != json->end() && token->is_string() && *token != "")
        return "Bearer " + token->get<std::string>();
  }
  return fail(Errc::incompatible, server + " answers without one");
}

Result<std::optional<OciLogin>> OciSession::login() {
  const std::lock_guard lock(mutex_);
  if (!login_) login_ = TRY(find_login(registry_, environment_));
  return *login_;
}

Error OciSession::refusal(const std::string& action, const HttpAnswer& answer) const {
  const std::string cannot = "'" + text_ + "': cannot " + action + ": ";
  std::string said = text_of(answer);
  if (answer.status == 401)
    return fail(Errc::invalid, cannot + "the registry wants to know who asks; log in, as with 'skopeo login " +
                                   registry_ + "' or 'docker login " + registry_ + "' (" + said + ")");
  if (answer.status == 403)
    return fail(Errc::invalid, cannot + "the login to '" + registry_ + "' may not do that (" + said + ")");
  if (answer.status == 404) return fail(Errc::not_found, cannot + "the registry does not know it (" + said + ")");
  std::string folded = said;
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (answer.status == 413 || answer.status == 507 || folded.find("quota") != std::string::npos)
    return fail(Errc::unavailable, cannot + "the registry has no room for it (" + said + ")");
  if (answer.status == 408 || answer.status == 429 || answer.status >= 500)
    return fail(Errc::unavailable, cannot + "the registry cannot do it now (" + said + ")");
  return fail(Errc::io, cannot + "the registry answered " + said);
}

}  // namespace trainyard
