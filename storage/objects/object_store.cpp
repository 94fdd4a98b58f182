// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/object_store.hpp"

#include "storage/values/sha256.hpp"

namespace trainyard {

Result<std::vector<Digest>> ObjectStore::put_each(std::span<const std::string_view> contents) {
  std::vector<Digest> digests;
  for (const std::string_view bytes : contents) digests.push_back(TRY(put(bytes)));
  return digests;
}

Result<std::string> ObjectStore::read(const Digest& digest, std::size_t most) {
  std::string bytes;
  TRY(stream(digest, [&](std::string_view piece) -> Result<void> {
    if (piece.size() > most - bytes.size())
      return fail(Errc::invalid, "the object " + digest.hex() + " is larger than " + std::to_string(most) + " bytes");
    bytes += piece;
    return {};
  }));
  return bytes;
}

Result<std::uint64_t> ObjectStore::copy_to(const Digest& digest, int fd, const Path& shown) {
  return stream(digest, [&](std::string_view piece) { return write_all(fd, piece, shown); });
}

Result<StoredObject> hash_file(int fd, const Path& shown) {
  thread_local Sha256 hash;
  thread_local std::vector<std::byte> buffer(std::size_t{256} << 10U);
  std::uint64_t size = 0;
  for (;;) {
    const auto got = read_some(fd, buffer, shown);
    if (!got.ok()) {
      static_cast<void>(hash.finish());
      return got.error();
    }
    hash.update(std::span(buffer).first(*got));
    size += *got;
    if (*got < buffer.size()) return StoredObject{hash.finish(), size};
  }
}

}  // namespace trainyard
