// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/http/http_client.hpp"
#include "storage/values/instant.hpp"

namespace trainyard {

// What an S3 server says about a request that it does not obey.
struct S3Refusal {
  long status = 0;
  std::string code = {};     // "NoSuchBucket"; empty where the server does not say it, as after HEAD
  std::string message = {};  // on one line
  std::string region = {};   // where the bucket is, when it is elsewhere
  std::string date = {};     // of the server
};

S3Refusal s3_refusal(const HttpAnswer& answer);

// Whether the same request may be obeyed when it is sent again at once.
bool is_passing(const S3Refusal& refusal);

// As an error: "cannot <do it>: <why>; <what to do>". The bucket is "s3://bucket"; `now` is the time of this machine.
Error error_of(const S3Refusal& refusal, const std::string& action, const std::string& bucket, Instant now);

}  // namespace trainyard
