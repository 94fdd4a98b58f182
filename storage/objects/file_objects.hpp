// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "storage/objects/object_store.hpp"

namespace trainyard {

// One file per object: <root>/ab/cdef…, mode 0444, its bytes as they are.
//
// A new object waits in `scratch` under a temporary name until `sync` has made its bytes durable, and only then gets
// its final name: a file in <root> is complete, whatever happened. What a dead process left in `scratch` is rubbish and
// belongs to nobody.
class FileObjects final : public ObjectStore {
 public:
  // Both folders exist, on one file system.
  FileObjects(Path root, Path scratch) : root_(std::move(root)), scratch_(std::move(scratch)) {}
  // Drops what was put and not synced.
  ~FileObjects() override;

  Result<Digest> put(std::string_view bytes) override;
  Result<StoredObject> put_file(int fd, const Path& shown) override;
  Result<bool> has(const Digest& digest) override;
  Result<std::string> read(const Digest& digest, std::size_t most) override;
  Result<std::uint64_t> copy_to(const Digest& digest, int fd, const Path& shown) override;
  Result<void> sync() override;

 private:
  [[nodiscard]] Path path_of(const Digest& digest) const;
  Result<UniqueFd> open(const Digest& digest);
  Result<void> keep(const Digest& digest, const Path& temporary);
  Result<StoredObject> put_large(int fd, const Path& shown, std::string_view head);

  const Path root_;
  const Path scratch_;
  std::mutex mutex_;
  std::unordered_map<Digest, Path> waiting_;  // put and not yet synced; guarded by mutex_
};

}  // namespace trainyard
