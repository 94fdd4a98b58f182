// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/http/http_client.hpp"
#include "storage/values/instant.hpp"

// AWS Signature Version 4, as S3 wants it: docs.aws.amazon.com, "Authenticating Requests (AWS Signature Version 4)". Pure.
namespace trainyard {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};  // of temporary credentials; empty otherwise
};

using AwsQuery = std::vector<std::pair<std::string, std::string>>;  // as they are meant, in any order

struct AwsRequest {
  std::string method;
  std::string path;  // as it is sent: encoded once, by `aws_encoded`
  AwsQuery query;
  std::vector<HttpHeader> headers;  // all that are signed: host, x-amz-date, x-amz-security-token …
  std::string payload;              // the SHA-256 of the body in hexadecimal digits
};

// Percent-encoded but for [A-Za-z0-9-._~].
std::string aws_encoded(std::string_view text);
// The same, part by part: keeps each '/'.
std::string aws_encoded_path(std::string_view path);
// Sorted and encoded, as it is signed and fit to be sent: "list-type=2&prefix=a%2Fb".
std::string aws_query(const AwsQuery& query);
// "20150830T123600Z", the value of x-amz-date.
std::string aws_time(Instant now);

// The value of the header Authorization. `time` is that of x-amz-date.
std::string aws_authorization(const AwsCredentials& credentials, std::string_view region, std::string_view service,
                              std::string_view time, const AwsRequest& request);

}  // namespace trainyard
