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

#include "storage/files/unique_fd.hpp"
#include "storage/http/http_client.hpp"

namespace trainyard {

// tests/support/fault_proxy.py in front of a server "host:port", for as long as this lives. Needs TRAINYARD_FAULT_PROXY, its
// path, and TRAINYARD_SYSTEM_PYTHON.
class FaultProxy {
 public:
  explicit FaultProxy(const std::string& to) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(TRAINYARD_SYSTEM_PYTHON, TRAINYARD_SYSTEM_PYTHON, TRAINYARD_FAULT_PROXY, to.c_str(),
              static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = UniqueFd(in[1]);
    const UniqueFd told(out[0]);
    std::string line;
    for (char c = 0; ::read(told.get(), &c, 1) == 1 && c != '\n';) line += c;
    int port = 0;
    int control = 0;
    if (std::sscanf(line.c_str(), "listening %d control %d", &port, &control) != 2)
      throw std::runtime_error("the fault proxy does not start: " + line);
    url_ = "http://127.0.0.1:" + std::to_string(port);
    control_ = "http://127.0.0.1:" + std::to_string(control) + "/";
  }
  ~FaultProxy() {
    stdin_.reset();
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }

  // A JSON list, as the proxy's own text tells it.
  void set(const std::string& faults) { ask({"POST", control_, {}, HttpBody::of(faults)}); }
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

  pid_t child_ = -1;
  UniqueFd stdin_;
  std::string url_;
  std::string control_;
  std::unique_ptr<HttpClient> http_ = curl_http();
};

}  // namespace trainyard
