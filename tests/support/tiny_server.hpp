// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "storage/files/unique_fd.hpp"

namespace trainyard {

// Listens on a port of this machine and does with each connection what a test says, one after the other; then closes it.
class TinyServer {
 public:
  class Connection {
   public:
    Connection(int fd, int number) : fd_(fd), number_(number) {}
    // From 1.
    [[nodiscard]] int number() const { return number_; }
    // All of a request up to `most` bytes of its body.
    std::string request(std::size_t most = SIZE_MAX) const {
      std::string text;
      std::size_t whole = SIZE_MAX;
      while (text.size() < whole) {
        char bytes[1U << 16U];
        const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
        if (count <= 0) return text;
        text.append(bytes, static_cast<std::size_t>(count));
        const std::size_t end = text.find("\r\n\r\n");
        if (end == std::string::npos || whole != SIZE_MAX) continue;
        const std::size_t length = text.find("Content-Length: ");
        const std::size_t body = length < end ? std::stoul(text.substr(length + 16)) : 0;
        whole = end + 4 + (body < most ? body : most);
      }
      return text;
    }
    void say(std::string_view text) const {
      while (!text.empty()) {
        const ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
      }
    }
    void answer(std::string_view status, std::string_view body, std::string_view headers = "") const {
      say("HTTP/1.1 " + std::string(status) + "\r\nConnection: close\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body));
    }
    // Until the other side closes, or too long.
    void stall() const {
      const timeval most{10, 0};
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
      char byte = 0;
      while (::recv(fd_, &byte, 1, 0) > 0) {
      }
    }

   private:
    int fd_;
    int number_;
  };
  using Does = std::function<void(const Connection&)>;

  explicit TinyServer(Does does) : listener_(bound()), does_(std::move(does)) {
    if (::listen(listener_.get(), 16) != 0) throw std::runtime_error("cannot listen");
    thread_ = std::thread([this] { serve(); });
  }
  ~TinyServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_of(listener_.get())); }
  [[nodiscard]] int connections() const { return connections_; }

  // Of a port where nobody listens.
  static std::string nobody() { return "http://127.0.0.1:" + std::to_string(port_of(bound().get())); }

 private:
  static UniqueFd bound() {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("cannot bind");
    return fd;
  }
  static int port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  void serve() {
    for (;;) {
      const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      does_(Connection(fd.get(), ++connections_));
    }
  }

  UniqueFd listener_;
  Does does_;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace trainyard
