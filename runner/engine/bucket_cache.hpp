// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "runner/core/bucket_data.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// An object of a bucket, and the content that it has.
struct KeptObject {
  BucketObject object;
  std::optional<Digest> digest;  // none as long as it is not known
};

// What the objects below an address were when they were read last: cache/<digest>.bucket of a store, lines of canonical JSON:
//
//   {"address":…,"schema":"trainyard.bucket-cache/1"}
//   {"bytes":…,"digest":…,"key":…,"modified":…,"tag":…,"version":…}
//
// Never needed: what is missing, torn or foreign is no cache. Whether the store still has the content is not its business.
class BucketCache {
 public:
  BucketCache(const Store& store, const RemoteAddress& address);

  [[nodiscard]] std::vector<KeptObject> read() const;
  // Without a tag, an object that was changed lately may change again and keep size and time: it is left out.
  void write(const std::vector<KeptObject>& objects, Instant now) const;

 private:
  const Store& store_;
  const std::string address_;
  const Path file_;
};

}  // namespace trainyard
