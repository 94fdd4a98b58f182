// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/memory_objects.hpp"

#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard {

Result<Digest> MemoryObjects::put(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  const std::lock_guard lock(mutex_);
  objects_.emplace(digest, bytes);
  return digest;
}

Result<StoredObject> MemoryObjects::put_file(int fd, const Path& shown) {
  std::string bytes;
  std::vector<std::byte> part(std::size_t{1} << 16U);
  for (;;) {
    const std::size_t got = TRY(read_some(fd, part, shown));
    bytes.append(reinterpret_cast<const char*>(part.data()), got);
    if (got < part.size()) break;
  }
  return StoredObject{TRY(put(bytes)), bytes.size()};
}

Result<bool> MemoryObjects::has(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  return objects_.contains(digest);
}

Result<std::string> MemoryObjects::read(const Digest& digest, std::size_t most) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(digest);
  if (found == objects_.end()) return fail(Errc::not_found, "the store has no object " + digest.hex());
  if (found->second.size() > most)
    return fail(Errc::invalid, "the object " + digest.hex() + " is larger than " + std::to_string(most) + " bytes");
  return found->second;
}

Result<std::uint64_t> MemoryObjects::copy_to(const Digest& digest, int fd, const Path& shown) {
  const std::string bytes = TRY(read(digest, SIZE_MAX));
  TRY(write_all(fd, bytes, shown));
  return bytes.size();
}

}  // namespace trainyard
