// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/http/http_client.hpp"
#include "storage/values/json.hpp"
#include "tests/support/python_server.hpp"

namespace trainyard {

// tests/support/mlflow_server.py, for as long as this lives. Needs TRAINYARD_MLFLOW_SERVER, its path, and
// TRAINYARD_SYSTEM_PYTHON.
class MlflowServerProcess {
 public:
  explicit MlflowServerProcess(const std::vector<std::string>& options = {}) : server_(words(options)) {
    int port = 0;
    if (std::sscanf(server_.line().c_str(), "listening %d", &port) != 1)
      throw std::runtime_error("the MLflow server for tests does not start: " + server_.line());
    place_ = "127.0.0.1:" + std::to_string(port);
  }

  [[nodiscard]] const std::string& place() const { return place_; }  // "127.0.0.1:5000"
  [[nodiscard]] std::string url() const { return "http://" + place_; }
  // All that it was told.
  Json state() { return ask("/state"); }
  // The calls that came: "POST runs/create".
  Json log() { return ask("/log"); }

 private:
  static std::vector<std::string> words(std::vector<std::string> options) {
    options.insert(options.begin(), TRAINYARD_MLFLOW_SERVER);
    return options;
  }
  Json ask(const std::string& path) {
    const auto answer = http_->send({"GET", url() + path});
    if (!answer.ok()) throw std::runtime_error(answer.error().message);
    return parse_json(answer->body, "the answer").value();
  }

  PythonServer server_;
  std::string place_;
  std::unique_ptr<HttpClient> http_ = curl_http();
};

}  // namespace trainyard
