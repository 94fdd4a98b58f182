// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// Where a remote is:
//
//   file:///srv/models                       a folder; also file:/srv/models
//   s3://bucket/prefix                       a bucket of the endpoint that AWS_ENDPOINT_URL or the AWS configuration names
//   s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1
//   oci://registry.example.com/team/models   a registry, and what all repositories begin with; HTTPS
//   oci+http://127.0.0.1:5000/models         the same without TLS
//
// No address holds a user or a password: `invalid` where one does, without repeating it.
struct RemoteAddress {
  enum class Kind { folder, s3, oci };

  Kind kind = Kind::folder;
  std::string place;          // an absolute path, a bucket, or host[:port]
  std::string prefix;         // without a '/' at either end; may be empty; of a folder always
  std::string endpoint = {};  // of s3: "http://host:port", empty where the configuration tells it
  std::string region = {};    // of s3, the same
  bool tls = true;            // of oci

  static Result<RemoteAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const RemoteAddress&, const RemoteAddress&) = default;
};

}  // namespace trainyard
