// SPDX-License-Identifier: Apache-2.0
#include "storage/http/retrying_http.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <thread>

#include "storage/files/files.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

bool may_work_later(const Result<HttpAnswer>& last) {
  if (!last.ok()) return last.error().code == Errc::unavailable;
  constexpr std::array kStatuses{408L, 429L, 500L, 502L, 503L, 504L};
  return std::find(kStatuses.begin(), kStatuses.end(), last->status) != kStatuses.end();
}

milliseconds asked_by(const Result<HttpAnswer>& last, milliseconds most) {
  const auto header = last.ok() ? last->header("retry-after") : std::nullopt;
  const auto seconds = header ? number_in<std::uint32_t>(*header) : std::nullopt;
  return seconds ? std::min(most, milliseconds(std::chrono::seconds(*seconds))) : milliseconds(0);
}

// From [0, 1).
double by_chance() {
  std::array<std::uint8_t, 4> bytes{};
  fill_random(bytes);
  double chance = 0;
  for (const std::uint8_t byte : bytes) chance = (chance + byte) / 256;
  return chance;
}

class RetryingHttp final : public HttpClient {
 public:
  RetryingHttp(HttpClient& to, RetryPolicy policy, HttpOptions options)
      : to_(to), policy_(policy), options_(std::move(options)) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    bool sunk = false;
    HttpRequest watched = request;
    if (request.sink) {
      watched.sink = [&](std::string_view piece) {
        sunk = true;
        return request.sink(piece);
      };
    }
    for (int attempt = 1;; ++attempt) {
      auto answer = to_.send(watched);
      if (answer.ok()) answer->sendings += attempt - 1;
      if (sunk) return answer;
      const auto pause = pause_before(attempt + 1, policy_, answer, by_chance());
      if (!pause) return answer;
      if (!waited(*pause)) return fail(Errc::cancelled, "the request to '" + request.url + "' was given up");
    }
  }

 private:
  [[nodiscard]] bool waited(milliseconds pause) const {
    const auto until = std::chrono::steady_clock::now() + pause;
    for (;;) {
      if (options_.cancelled()) return false;
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) return true;
      std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, milliseconds(50)));
    }
  }

  HttpClient& to_;
  const RetryPolicy policy_;
  const HttpOptions options_;
};

}  // namespace

std::optional<milliseconds> pause_before(int next, const RetryPolicy& policy, const Result<HttpAnswer>& last,
                                         double chance) {
  if (next > policy.attempts || !may_work_later(last)) return std::nullopt;
  const double most = std::min(static_cast<double>(policy.longest.count()),
                               std::ldexp(static_cast<double>(policy.first.count()), next - 2));
  return std::max(milliseconds(static_cast<std::int64_t>(most * chance)), asked_by(last, policy.longest_asked));
}

std::unique_ptr<HttpClient> retrying(HttpClient& to, RetryPolicy policy, HttpOptions options) {
  return std::make_unique<RetryingHttp>(to, policy, std::move(options));
}

}  // namespace trainyard
