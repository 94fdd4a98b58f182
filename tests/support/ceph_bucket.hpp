// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "storage/files/files.hpp"
#include "storage/http/retrying_http.hpp"
#include "storage/remotes/s3_keys.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

// A fresh bucket of the gateway that tests/support/servers/ceph has started in $TRAINYARD_CEPH. Throws where it cannot.
class CephBucket {
 public:
  // Parts as small as S3 lets them be, so that tests need no large files.
  static constexpr S3Parts kSmallParts{std::uint64_t{6} << 20U, std::uint64_t{5} << 20U, 3};
  static constexpr RetryPolicy kHasty{4, std::chrono::milliseconds(4), std::chrono::milliseconds(30),
                                      std::chrono::milliseconds(100)};

  CephBucket() : settings_(settings()), address_(fresh_address()) {
    must(admin().obeyed({"PUT"}, "make a bucket"), "make a bucket");
  }

  // Of a server, that of the gateway where none is named.
  std::unique_ptr<KeyStore> open(std::string endpoint = "", S3Parts parts = kSmallParts, RateLimit* limit = nullptr) {
    S3Settings other = settings_;
    if (!endpoint.empty()) other.endpoint = std::move(endpoint);
    return open_as(std::move(other), parts, limit);
  }
  std::unique_ptr<KeyStore> open_as(S3Settings other, S3Parts parts = kSmallParts, RateLimit* limit = nullptr) {
    const std::lock_guard lock(mutex_);
    Client& client = clients_.emplace_back();
    return std::make_unique<S3Keys>(address_, std::move(other), *client.http, limit, now, parts);
  }

  void keep_versions(const std::string& status) {
    const std::string body = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>" +
                             status + "</Status></VersioningConfiguration>";
    S3Call call;
    call.method = "PUT";
    call.query = {{"versioning", ""}};
    call.body = HttpBody::of(body);
    call.payload = sha256(body).hex();
    must(admin().obeyed(call, "keep versions"), "keep versions");
  }

  [[nodiscard]] const RemoteAddress& address() const { return address_; }
  [[nodiscard]] const S3Settings& own_settings() const { return settings_; }
  // "127.0.0.1:9000"
  [[nodiscard]] std::string server() const { return settings_.endpoint.substr(settings_.endpoint.find("//") + 2); }

  static Instant now() {
    return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }

 private:
  struct Client {
    std::unique_ptr<HttpClient> curl = curl_http();
    std::unique_ptr<HttpClient> http = retrying(*curl, kHasty);
  };

  template <class T>
  static T must(Result<T> result, const std::string& what) {
    if (!result.ok()) throw std::runtime_error("cannot " + what + ": " + result.error().message);
    return std::move(result).value();
  }
  static S3Settings settings() {
    const char* const folder = std::getenv("TRAINYARD_CEPH");
    if (folder == nullptr) throw std::runtime_error("TRAINYARD_CEPH names no folder of tests/support/servers/ceph");
    const std::string text = must(read_file(Path(folder) / "environment", 4096), "find the gateway");
    AwsSources sources;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      const std::size_t equals = text.find('=', at);
      sources.environment[text.substr(at, equals - at)] = text.substr(equals + 1, end - equals - 1);
      at = end + 1;
    }
    return must(s3_settings({RemoteAddress::Kind::s3, "x", ""}, sources), "read the settings");
  }
  static RemoteAddress fresh_address() {
    static std::atomic<int> count{0};
    const std::string name = "t" + std::to_string(now().microseconds) + "-" + std::to_string(++count);
    return {RemoteAddress::Kind::s3, name, "team/models"};
  }
  S3Bucket admin() {
    const std::lock_guard lock(mutex_);
    return {address_, settings_, *clients_.emplace_back().http, nullptr, now};
  }

  const S3Settings settings_;
  const RemoteAddress address_;
  std::mutex mutex_;
  std::deque<Client> clients_;
};

}  // namespace trainyard
