// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/http/http_client.hpp"
#include "storage/values/number.hpp"

namespace trainyard::fuzz {

inline std::vector<std::string_view> parts_of(std::string_view text, char end) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find(end), text.size());
    parts.push_back(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return parts;
}

// "401\nname: value\n\nbody"
inline HttpAnswer answer_in(std::string_view text) {
  HttpAnswer answer;
  const auto line = [&text] {
    const std::size_t size = std::min(text.find('\n'), text.size());
    const std::string_view taken = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return taken;
  };
  answer.status = number_in<std::uint16_t>(line()).value_or(200);
  for (std::string_view header = line(); !header.empty(); header = line()) {
    const std::size_t colon = std::min(header.find(": "), header.size());
    answer.headers.push_back(
        {std::string(header.substr(0, colon)), std::string(header.substr(std::min(colon + 2, header.size())))});
  }
  answer.body = text;
  return answer;
}

// A server that says, one after another, what a stranger thought of, and then no more.
class ScriptedServer final : public HttpClient {
 public:
  using Look = std::function<void(const HttpRequest& request)>;

  explicit ScriptedServer(std::vector<HttpAnswer> answers, Look look = nullptr)
      : answers_(std::move(answers)), look_(std::move(look)) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    if (look_) look_(request);
    if (next_ == answers_.size()) return fail(Errc::unavailable, "the server is gone");
    return answers_[next_++];
  }

 private:
  const std::vector<HttpAnswer> answers_;
  const Look look_;
  std::size_t next_ = 0;
};

}  // namespace trainyard::fuzz
