// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "storage/remotes/aws_signature.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// What is needed to speak to an S3 server. Holds secrets: never shown.
struct S3Settings {
  AwsCredentials credentials;
  std::string region;
  std::string endpoint;  // "https://s3.eu-central-1.amazonaws.com", without a '/' at its end
};

// The places where the AWS tools look. A file that is not there is an empty text.
struct AwsSources {
  std::map<std::string, std::string> environment;
  std::string credentials_file;  // their paths, for people
  std::string config_file;
  std::string credentials;  // their texts
  std::string config;
};

// From the first that has it: the address; AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, AWS_REGION or
// AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL; the profile AWS_PROFILE (or "default") of the credentials file
// and of the config file, whose services section may name the endpoint of S3; us-east-1, and the endpoint of AWS there.
// `invalid` says in one sentence what was looked at. Pure.
Result<S3Settings> s3_settings(const RemoteAddress& address, const AwsSources& sources);

// Those of this process: its environment, AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, AWS_CONFIG_FILE or ~/.aws/config.
Result<AwsSources> read_aws_sources();

}  // namespace trainyard
