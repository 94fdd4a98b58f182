// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "runner/core/bucket_data.hpp"
#include "runner/engine/data_intake.hpp"
#include "storage/remotes/key_store.hpp"
#include "storage/remotes/remote_address.hpp"

// How the data that a user has in a bucket comes into the store.
namespace trainyard {

// Opens what is below an address, for reading.
using OpenKeys = std::function<Result<std::shared_ptr<KeyStore>>(const RemoteAddress& address)>;

// Where data is read from: an address without user or password. `invalid` for one that is of no bucket.
Result<RemoteAddress> bucket_address(const std::string& text);

struct BucketData {
  TreeSummary tree;
  BucketState state;
  std::uint64_t fetched = 0;  // objects; the others were here
};

// All objects below the address, as files whose paths are their keys. Objects that the store has since they were read last,
// and that the server lists as they were then, are not read again: cache/<digest>.bucket remembers them. Keys that end with
// '/' are marks of folders, and are passed over. `invalid` names a key that can be no path, and an object that changes
// while all are read; also when there is no object. Bytes and tree are durable when this returns, and nothing names them
// yet: that is for the caller, who then releases the store's objects. `now` is the time by this machine's clock.
Result<BucketData> keep_bucket_data(const RemoteAddress& address, KeyStore& keys, const Store& store,
                                    const IntakeOptions& options, Instant now);

}  // namespace trainyard
