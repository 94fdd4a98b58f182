// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/remotes/key_store.hpp"
#include "storage/remotes/s3_bucket.hpp"

namespace trainyard {

// All bytes of the key in order. Where a connection breaks, it goes on behind the last byte that arrived, of the same
// content or not at all. `not_found` when there is no such key.
Result<void> stream_s3(const S3Bucket& bucket, const std::string& key, const KeyStore::Sink& sink);

// The same of what was listed: `invalid` when the key holds something else by now.
Result<KeyEntry> stream_listed_s3(const S3Bucket& bucket, const KeyEntry& listed, const KeyStore::Sink& sink);

}  // namespace trainyard
