// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "storage/remotes/key_store.hpp"
#include "storage/remotes/s3_bucket.hpp"

namespace trainyard {

// How files go up.
struct S3Parts {
  std::uint64_t whole_up_to = std::uint64_t{64} << 20U;  // in one request
  std::uint64_t bytes = std::uint64_t{16} << 20U;        // of each part but the last; at least 5 MiB, says S3
  int at_once = 4;
};

// A file on its way up. It is read once, from its start to its end.
struct S3File {
  std::string key;
  Path path;
  int fd = -1;
  std::uint64_t bytes = 0;
  Digest digest;
};

// In one request. The server compares the digest with what arrives.
Result<void> upload_whole(const S3Bucket& bucket, const S3File& file, const KeyStore::Moved& moved);

// In parts, some at a time. What an upload of this key that was never finished has of the same parts is kept. The server
// compares each part's digest with what arrives, and nothing is finished unless the whole has the digest of the file.
// After an error the upload stays where it is, for the next attempt; but not after `corrupt`.
Result<void> upload_in_parts(const S3Bucket& bucket, const S3File& file, const S3Parts& parts,
                             const KeyStore::Moved& moved);

// Nothing there is fine.
Result<void> abandon_s3_upload(const S3Bucket& bucket, const std::string& key, const std::string& id);

}  // namespace trainyard
