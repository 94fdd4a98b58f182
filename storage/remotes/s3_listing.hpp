// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "storage/remotes/key_store.hpp"
#include "storage/remotes/s3_bucket.hpp"
#include "storage/remotes/s3_xml.hpp"

namespace trainyard {

// An upload in parts that was begun, and neither finished nor abandoned.
struct S3Upload {
  std::string key;  // below the prefix of the address
  std::string id;
  Instant begun;
};

// A part that has arrived.
struct S3Part {
  std::uint64_t bytes = 0;
  std::string etag;  // without quotes
};

// The answer's one element, which must have that name; `unavailable` when it is something else, as what a proxy on the way
// makes up or a transfer damages.
Result<XmlElement> s3_element(const HttpAnswer& answer, std::string_view name, const std::string& action);

Result<void> each_s3_key(const S3Bucket& bucket, const std::string& prefix,
                         const std::function<Result<void>(const KeyEntry&)>& each);
Result<void> each_s3_upload(const S3Bucket& bucket, const std::string& prefix,
                            const std::function<Result<void>(const S3Upload&)>& each);
// By their numbers. None when there is no such upload.
Result<std::map<int, S3Part>> s3_parts(const S3Bucket& bucket, const S3Upload& upload);

// "2026-01-01T00:00:00.000Z", with any number of digits after the dot, or without it.
Result<Instant> s3_time(const std::string& text);
std::string without_quotes(std::string etag);

}  // namespace trainyard
