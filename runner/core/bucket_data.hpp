// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// One object of a bucket, as the server told of it.
struct BucketObject {
  RelPath path;  // its key, below the prefix that was asked for
  std::uint64_t bytes = 0;
  Instant modified;
  std::optional<std::string> tag;      // its ETag, without quotes
  std::optional<std::string> version;  // the id of the version that was read, of a bucket that keeps versions

  friend bool operator==(const BucketObject&, const BucketObject&) = default;
};

// Which state of a bucket some data was: enough to find out later whether a bucket still holds, or once held, just that.
struct BucketState {
  static constexpr std::size_t kMostNamed = 32;

  // The SHA-256 over one line of canonical JSON for each object, in the order of the keys' bytes:
  // {"bytes":…,"key":…,"modified":…,"tag":…,"version":…} and a line feed.
  Digest listing;
  std::uint64_t count = 0;
  std::vector<BucketObject> objects;  // all of them when they are kMostNamed at most, else none

  // REQUIRES: sorted by path
  static BucketState of(const std::vector<BucketObject>& objects);
  friend bool operator==(const BucketState&, const BucketState&) = default;
};

Json to_json(const BucketObject& object);
Result<BucketObject> bucket_object_from(const Json& json);
Json to_json(const BucketState& state);
// Refuses objects that are not those of the digest.
Result<BucketState> bucket_state_from(const Json& json);

// Whether a text is meant as the address of a bucket, and not as a path or the name of a dataset.
bool names_bucket(std::string_view text);

}  // namespace trainyard
