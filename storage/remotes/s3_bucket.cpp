// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_bucket.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Of what is refused for the moment; what fails on the way is tried again below.
constexpr int kAttempts = 5;
constexpr std::chrono::milliseconds kPause{100};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

S3Bucket::S3Bucket(RemoteAddress address, S3Settings settings, HttpClient& http, RateLimit* limit,
                   std::function<Instant()> now)
    : address_(std::move(address)), settings_(std::move(settings)), http_(http), limit_(limit), now_(std::move(now)) {
  const std::string& endpoint = settings_.endpoint;
  const std::size_t scheme = endpoint.find("://") + 3;
  const std::size_t slash = std::min(endpoint.find('/', scheme), endpoint.size());
  host_ = endpoint.substr(scheme, slash - scheme);
  path_ = aws_encoded_path(endpoint.substr(slash));
  // A certificate for *.s3.amazonaws.com does not hold for a bucket with dots.
  const bool aws = ends_with(host_, ".amazonaws.com") || ends_with(host_, ".amazonaws.com.cn");
  if (aws && address_.place.find('.') == std::string::npos) {
    host_ = address_.place + "." + host_;
  } else {
    path_ += "/" + aws_encoded(address_.place);
  }
  origin_ = endpoint.substr(0, scheme) + host_;
}

std::string S3Bucket::full_key(const std::string& key) const {
  return address_.prefix.empty() ? key : address_.prefix + "/" + key;
}

std::optional<std::string> S3Bucket::own_key(const std::string& full) const {
  if (address_.prefix.empty()) return full;
  const std::string beginning = address_.prefix + "/";
  if (full.substr(0, beginning.size()) != beginning) return std::nullopt;
  return full.substr(beginning.size());
}

std::string S3Bucket::named(const std::string& key) const {
  return "'s3://" + address_.place + "/" + full_key(key) + "'";
}

HttpRequest S3Bucket::signed_request(const S3Call& call) const {
  static const std::string kEmpty = sha256("").hex();
  AwsRequest request{call.method, path_, call.query, call.headers, call.payload.empty() ? kEmpty : call.payload};
  if (!call.key.empty()) request.path += "/" + aws_encoded_path(full_key(call.key));
  if (request.path.empty()) request.path = "/";
  const std::string time = aws_time(now_());
  request.headers.push_back({"host", host_});
  request.headers.push_back({"x-amz-content-sha256", request.payload});
  request.headers.push_back({"x-amz-date", time});
  if (!settings_.credentials.session_token.empty())
    request.headers.push_back({"x-amz-security-token", settings_.credentials.session_token});
  const std::string authorization = aws_authorization(settings_.credentials, settings_.region, "s3", time, request);
  HttpRequest http;
  http.method = call.method;
  http.url = origin_ + request.path + (call.query.empty() ? "" : "?" + aws_query(call.query));
  http.headers = std::move(request.headers);
  http.headers.push_back({"authorization", authorization});
  http.body = call.body;
  http.sink = call.sink;
  if (limit_ != nullptr && http.body) http.body = limit_->limited(*http.body);
  if (limit_ != nullptr && http.sink) http.sink = limit_->limited(http.sink);
  http.before_sink = call.before_sink;
  http.patience = call.patience;
  return http;
}

Result<HttpAnswer> S3Bucket::send(const S3Call& call) const {
  int earlier = 0;
  for (int attempt = 1;; ++attempt) {
    HttpAnswer answer = TRY(http_.send(signed_request(call)));
    answer.sendings += earlier;
    if (is_good(answer) || attempt == kAttempts || !is_passing(s3_refusal(answer))) return answer;
    earlier = answer.sendings;
    std::this_thread::sleep_for(kPause * attempt);
  }
}

Result<HttpAnswer> S3Bucket::obeyed(const S3Call& call, const std::string& action) const {
  HttpAnswer answer = TRY(send(call));
  if (!is_good(answer)) return error_of(answer, action);
  return answer;
}

Error S3Bucket::error_of(const HttpAnswer& answer, const std::string& action) const {
  return trainyard::error_of(s3_refusal(answer), action, "s3://" + address_.place, now_());
}

}  // namespace trainyard
