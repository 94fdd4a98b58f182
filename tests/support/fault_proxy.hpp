// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "storage/http/http_client.hpp"
#include "tests/support/python_server.hpp"

namespace trainyard {

// tests/support/fault_proxy.py in front of a server "host:port", for as long as this lives. Needs TRAINYARD_FAULT_PROXY, its
// path, and TRAINYARD_SYSTEM_PYTHON.
class FaultProxy {
 public:
  explicit FaultProxy(const std::string& to) : server_({TRAINYARD_FAULT_PROXY, to}) {
    int port = 0;
    int control = 0;
    if (std::sscanf(server_.line().c_str(), "listening %d control %d", &port, &control) != 2)
      throw std::runtime_error("the fault proxy does not start: " + server_.line());
    url_ = "http://127.0.0.1:" + std::to_string(port);
    control_ = "http://127.0.0.1:" + std::to_string(control) + "/";
  }

  [[nodiscard]] const std::string& url() const { return url_; }

  // A JSON list, as the proxy's own text tells it.
  void set(const std::string& faults) { ask({"POST", control_, {}, HttpBody::of(faults)}); }
  // One of them, that lets so many requests pass first, and happens so often; -1: to all.
  void set(const std::string& does, int after, int times) {
    set("[{\"after\": " + std::to_string(after) + ", \"times\": " + std::to_string(times) + ", " + does + "}]");
  }
  // A JSON list of what came since.
  std::string log() { return ask({"GET", control_}); }
  // Whether any fault has happened since.
  bool struck() {
    const std::string all = log();
    std::size_t forwarded = 0;
    std::size_t requests = 0;
    for (std::size_t at = 0; (at = all.find("\"did\": ", at)) != std::string::npos; ++at) {
      ++requests;
      if (all.compare(at + 7, 9, "\"forward\"") == 0) ++forwarded;
    }
    return forwarded < requests;
  }

 private:
  std::string ask(const HttpRequest& request) {
    const auto answer = http_->send(request);
    if (!answer.ok()) throw std::runtime_error(answer.error().message);
    if (answer->status != 200) throw std::runtime_error(text_of(*answer));
    return answer->body;
  }

  PythonServer server_;
  std::string url_;
  std::string control_;
  std::unique_ptr<HttpClient> http_ = curl_http();
};

}  // namespace trainyard
