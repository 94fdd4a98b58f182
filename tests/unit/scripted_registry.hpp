// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/http/http_client.hpp"
#include "storage/remotes/oci_login.hpp"
#include "storage/remotes/oci_registry.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/values/base64.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/tiny_server.hpp"

namespace trainyard {

// A server that says what a test has it say, and keeps what it was asked: a registry, one that gives out tokens, or one
// that another leads to.
class ScriptedRegistry {
 public:
  struct Asked {
    std::string method;
    std::string target;
    std::string head;
    std::string body;

    [[nodiscard]] std::string line() const { return method + " " + target; }
    // Empty: there is none.
    [[nodiscard]] std::string header(const std::string& name) const {
      const std::size_t at = head.find("\r\n" + name + ": ");
      if (at == std::string::npos) return "";
      const std::size_t value = at + name.size() + 4;
      return head.substr(value, head.find("\r\n", value) - value);
    }
    [[nodiscard]] std::string authorization() const { return header("Authorization"); }
  };
  struct Said {
    std::string status = "200 OK";  // empty: the connection is closed instead
    std::string body = {};
    std::string headers = {};             // "A: b\r\n…"
    std::size_t cut = std::string::npos;  // so much of the body, then the connection is closed
  };
  using Says = std::function<Said(const Asked&)>;

  explicit ScriptedRegistry(Says says)
      : says_(std::move(says)), server_([this](const TinyServer::Connection& each) { serve(each); }) {}

  [[nodiscard]] std::string url() const { return server_.url(); }
  // "127.0.0.1:43210"
  [[nodiscard]] std::string host() const { return url().substr(7); }
  [[nodiscard]] RemoteAddress address() const { return {RemoteAddress::Kind::oci, host(), "", "", "", false}; }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // One of each request.
  [[nodiscard]] std::vector<std::string> lines() const { return of_each(&Asked::line); }
  [[nodiscard]] std::vector<std::string> authorizations() const { return of_each(&Asked::authorization); }

 private:
  std::vector<std::string> of_each(std::string (Asked::*what)() const) const {
    std::vector<std::string> all;
    for (const Asked& each : asked()) all.push_back((each.*what)());
    return all;
  }
  void serve(const TinyServer::Connection& connection) {
    std::string text = connection.request();
    const std::size_t first = text.find(' ');
    const std::size_t second = text.find(' ', first + 1);
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return;
    Asked asked{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(0, end + 2), ""};
    asked.body = std::move(text.erase(0, end + 4));
    const Said said = says_(asked);
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(std::move(asked));
    }
    if (said.status.empty()) return;
    connection.say("HTTP/1.1 " + said.status + "\r\nConnection: close\r\nContent-Length: " +
                   std::to_string(said.body.size()) + "\r\n" + said.headers + "\r\n" + said.body.substr(0, said.cut));
  }

  const Says says_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;  // guarded by mutex_
  TinyServer server_;
};

// For what needs certificates, or takes a server too long.
class ScriptedHttp final : public HttpClient {
 public:
  using Says = std::function<Result<HttpAnswer>(const HttpRequest&)>;
  explicit ScriptedHttp(Says says) : says_(std::move(says)) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    asked.push_back(request);
    return says_(request);
  }
  static HttpAnswer answer(long status, std::string body = "", std::vector<HttpHeader> headers = {}) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    answer.headers = std::move(headers);
    return answer;
  }
  static std::string authorization(const HttpRequest& request) {
    for (const HttpHeader& each : request.headers)
      if (each.name == "Authorization") return each.value;
    return "";
  }

  std::vector<HttpRequest> asked = {};

 private:
  const Says says_;
};

// What a registry sees of Ada, and says as long as it does not.
inline const std::string kAdasBasic = "Basic " + base64("ada:hunter22");
inline ScriptedRegistry::Said asks_who() { return {"401 Unauthorized", "", "WWW-Authenticate: Basic realm=r\r\n"}; }

inline std::string to_next_page(const std::string& url) { return "Link: <" + url + ">; rel=\"next\"\r\n"; }
inline std::string to_location(const std::string& url) { return "Location: " + url + "\r\n"; }

// With that file of logins and nothing else.
inline Environment logins_in(const Path& file) {
  return [file](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) != "REGISTRY_AUTH_FILE") return std::nullopt;
    return file.string();
  };
}

inline Environment no_logins() { return logins_in("/nobody/is/logged/in.json"); }

// Ada, who has a login.
struct KnownClient {
  explicit KnownClient(const RemoteAddress& address, HttpClient* other_http = nullptr)
      : registry(address, other_http != nullptr ? *other_http : *http,
                 logins_in(temp.write("auth.json", R"({"auths":{")" + address.place + R"(":{"auth":")" +
                                                       base64("ada:hunter22") + R"("}}})")),
                 nullptr) {}
  explicit KnownClient(const ScriptedRegistry& server) : KnownClient(server.address()) {}

  TempFolder temp;
  std::unique_ptr<HttpClient> http = curl_http();
  OciRegistry registry;
};

// What arrived of content of the repository m, and how that ended.
struct GotBlob {
  std::string bytes;
  Result<void> result = {};
};

inline GotBlob got_blob(OciRegistry& registry, const std::string& wanted) {
  GotBlob got;
  got.result = registry.get_blob("m", sha256(wanted), wanted.size(), [&](std::string_view piece) -> Result<void> {
    got.bytes += piece;
    return {};
  });
  return got;
}

// Empty: none.
inline std::string message_of(const Result<void>& result) { return result.ok() ? "" : result.error().message; }

}  // namespace trainyard
