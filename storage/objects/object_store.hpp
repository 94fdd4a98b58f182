// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct StoredObject {
  Digest digest;
  std::uint64_t bytes = 0;
};

// Bytes by their SHA-256. An object is written once and never changes; putting what is there already costs its hash.
// Thread-safe.
//
// What `put` returned is readable in this process at once, and survives a power cut after the next `sync`: so put
// everything, sync once, and only then write the record that names it.
class ObjectStore {
 public:
  ObjectStore() = default;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
  virtual ~ObjectStore() = default;

  virtual Result<Digest> put(std::string_view bytes) = 0;
  // Everything from the file's current offset to its end. `shown` names the file in errors.
  virtual Result<StoredObject> put_file(int fd, const Path& shown) = 0;

  virtual Result<bool> has(const Digest& digest) = 0;
  // Verified: `corrupt` when the stored bytes are not those of the digest, `not_found` when there is none, both naming
  // it. `invalid` when it has more than `most` bytes.
  virtual Result<std::string> read(const Digest& digest, std::size_t most) = 0;
  // Writes the object to a file, verified as above. After an error the file holds anything.
  virtual Result<std::uint64_t> copy_to(const Digest& digest, int fd, const Path& shown) = 0;

  virtual Result<void> sync() = 0;
};

// The digest and size of what is left of a file.
Result<StoredObject> hash_file(int fd, const Path& shown);

}  // namespace trainyard
