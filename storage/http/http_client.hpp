// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/result.hpp"

namespace trainyard {

struct HttpHeader {
  std::string name;
  std::string value;
};

// What a request sends. It may be asked for the same bytes again, from the start, when a connection that was kept open
// turns out to be closed.
struct HttpBody {
  std::uint64_t bytes = 0;
  // Yields how many of the bytes from `offset` on were copied; at least one. Called in the thread that sends.
  std::function<Result<std::size_t>(std::uint64_t offset, std::span<char> into)> read;

  // Of bytes that outlive the request.
  static HttpBody of(std::string_view bytes);
};

// How long a request may take.
struct HttpPatience {
  std::chrono::milliseconds to_connect{10'000};
  std::chrono::milliseconds stalled{30'000};  // without a byte in either direction
  std::optional<std::chrono::milliseconds> in_all = {};
};

struct HttpAnswer {
  long status = 0;
  std::vector<HttpHeader> headers;  // names in lower case
  std::string body;                 // what did not go into a sink; its beginning, when it is longer than kMostHttpBody
  // How often the request went out; when more than once, the server may have obeyed an earlier one and the answer was lost.
  int sendings = 1;

  // The first of that name, which is in lower case; none when there is none.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HttpHeader> headers = {};
  std::optional<HttpBody> body = {};
  // Where the body of an answer with a status from 200 to 299 goes; without it, that is in the answer. An error ends the
  // request and is passed on.
  std::function<Result<void>(std::string_view piece)> sink = {};
  // Sees the status and the headers before the sink gets its first byte. An error is passed on as one of the sink.
  std::function<Result<void>(const HttpAnswer& head)> before_sink = {};
  HttpPatience patience = {};
};

inline constexpr std::size_t kMostHttpBody = std::size_t{16} << 20U;

// Sends requests and yields whatever the server answers, also a refusal. Redirections are not followed. `unavailable`: no
// whole answer came, and why; `cancelled`: somebody wanted it to end. Thread-safe.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

struct HttpOptions {
  std::function<bool()> cancelled = [] { return false; };  // asked often, from any thread
};

// By libcurl, with the proxy and the certificates that it finds in the environment (https_proxy, SSL_CERT_FILE …).
// Connections stay open for the next request to the same server. libcurl is loaded when it is needed first, because
// loading it takes longer than most commands.
std::unique_ptr<HttpClient> curl_http(HttpOptions options = {});

// "500: no room": the status and the beginning of what the server said, on one line.
std::string text_of(const HttpAnswer& answer);

}  // namespace trainyard
