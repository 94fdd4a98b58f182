// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/files/unique_fd.hpp"
#include "storage/http/http_client.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// tests/support/mlflow_server.py, for as long as this lives. Needs TRAINYARD_MLFLOW_SERVER, its path, and
// TRAINYARD_SYSTEM_PYTHON.
class MlflowServerProcess {
 public:
  explicit MlflowServerProcess(const std::vector<std::string>& options = {}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<std::string> words = {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_MLFLOW_SERVER};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = UniqueFd(in[1]);
    const UniqueFd told(out[0]);
    std::string line;
    for (char c = 0; ::read(told.get(), &c, 1) == 1 && c != '\n';) line += c;
    int port = 0;
    if (std::sscanf(line.c_str(), "listening %d", &port) != 1)
      throw std::runtime_error("the MLflow server for tests does not start: " + line);
    place_ = "127.0.0.1:" + std::to_string(port);
  }
  ~MlflowServerProcess() {
    stdin_.reset();
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  MlflowServerProcess(const MlflowServerProcess&) = delete;
  MlflowServerProcess& operator=(const MlflowServerProcess&) = delete;

  [[nodiscard]] const std::string& place() const { return place_; }  // "127.0.0.1:5000"
  [[nodiscard]] std::string url() const { return "http://" + place_; }
  // All that it was told.
  Json state() { return ask("/state"); }
  // The calls that came: "POST runs/create".
  Json log() { return ask("/log"); }

 private:
  Json ask(const std::string& path) {
    const auto answer = http_->send({"GET", url() + path});
    if (!answer.ok()) throw std::runtime_error(answer.error().message);
    return parse_json(answer->body, "the answer").value();
  }

  pid_t child_ = -1;
  UniqueFd stdin_;
  std::string place_;
  std::unique_ptr<HttpClient> http_ = curl_http();
};

}  // namespace trainyard
