// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/http/http_client.hpp"
#include "storage/http/rate_limit.hpp"
#include "storage/remotes/aws_credentials.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/remotes/s3_refusal.hpp"

namespace trainyard {

// One request to a bucket.
struct S3Call {
  std::string method = "GET";
  std::string key = {};  // below the prefix of the address; of the bucket itself, when empty
  AwsQuery query = {};
  std::vector<HttpHeader> headers = {};
  std::optional<HttpBody> body = {};
  std::string payload =
      {};  // the SHA-256 of the body in hexadecimal digits, which the server compares; empty without one
  std::function<Result<void>(std::string_view piece)> sink = {};
  std::function<Result<void>(const HttpAnswer& head)> before_sink = {};
  HttpPatience patience = {};
};

// Signed requests to one bucket, path-style but for the endpoints of AWS. Thread-safe.
class S3Bucket {
 public:
  // `http` tries again by itself, and it and `limit` outlive this; without a limit it may be null.
  S3Bucket(RemoteAddress address, S3Settings settings, HttpClient& http, RateLimit* limit,
           std::function<Instant()> now);

  // Whatever the server answers. What is refused for the moment is sent again a few times.
  Result<HttpAnswer> send(const S3Call& call) const;
  // The answer when its status is from 200 to 299; else the refusal as an error, where `action` is "list 's3://…'".
  Result<HttpAnswer> obeyed(const S3Call& call, const std::string& action) const;
  [[nodiscard]] Error error_of(const HttpAnswer& answer, const std::string& action) const;

  // As the server knows it: with the prefix of the address.
  [[nodiscard]] std::string full_key(const std::string& key) const;
  // Without it; none for what does not begin with it.
  [[nodiscard]] std::optional<std::string> own_key(const std::string& full) const;
  // "'s3://bucket/prefix/key'", for errors.
  [[nodiscard]] std::string named(const std::string& key) const;
  [[nodiscard]] std::string text() const { return address_.text(); }

 private:
  [[nodiscard]] HttpRequest signed_request(const S3Call& call) const;

  const RemoteAddress address_;
  const S3Settings settings_;
  HttpClient& http_;
  RateLimit* const limit_;
  const std::function<Instant()> now_;
  std::string origin_;  // "http://127.0.0.1:9000"
  std::string host_;    // "127.0.0.1:9000"
  std::string path_;    // of the bucket, encoded: "/bucket"; empty where the host names it
};

inline bool is_good(const HttpAnswer& answer) { return answer.status >= 200 && answer.status < 300; }

}  // namespace trainyard
