// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <unordered_map>

#include "storage/objects/object_store.hpp"

namespace trainyard {

// Objects in memory, for tests and for looking at what a capture would store.
class MemoryObjects final : public ObjectStore {
 public:
  Result<Digest> put(std::string_view bytes) override;
  Result<StoredObject> put_file(int fd, const Path& shown) override;
  Result<bool> has(const Digest& digest) override;
  Result<std::string> read(const Digest& digest, std::size_t most) override;
  Result<std::uint64_t> copy_to(const Digest& digest, int fd, const Path& shown) override;
  Result<void> sync() override { return {}; }

 private:
  std::mutex mutex_;
  std::unordered_map<Digest, std::string> objects_;  // guarded by mutex_
};

}  // namespace trainyard
