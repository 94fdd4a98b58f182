// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "storage/objects/object_store.hpp"

namespace trainyard {

// Objects in memory, for tests and for looking at what a capture would store.
class MemoryObjects final : public ObjectStore {
 public:
  Result<Digest> put(std::string_view bytes) override;
  Result<StoredObject> put_file(int fd, std::uint64_t expected, const Path& shown) override;
  std::unique_ptr<ObjectWriter> writer(Cut cut) override;
  Result<bool> has(const Digest& digest) override;
  Result<std::uint64_t> stream(const Digest& digest, const ByteSink& sink) override;
  Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) override;
  Result<void> sync() override { return {}; }

  // What becomes of objects that a disk or a person takes away, for tests.
  void forget(const Digest& digest);
  void damage(const Digest& digest);

 private:
  Result<std::shared_ptr<const std::string>> find(const Digest& digest);

  std::mutex mutex_;
  std::unordered_map<Digest, std::shared_ptr<const std::string>> objects_;  // guarded by mutex_
};

}  // namespace trainyard
