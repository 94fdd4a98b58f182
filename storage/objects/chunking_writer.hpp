// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "storage/objects/chunker.hpp"
#include "storage/objects/pack_objects.hpp"
#include "storage/values/sha256_lanes.hpp"

namespace trainyard {

// Puts one object of any size: cuts and hashes it in the calling thread while the pool compresses and writes its chunks.
// An object that is small after all is kept whole. The thread that writes one must finish it before it syncs.
class ChunkingWriter final : public ObjectWriter {
 public:
  // Objects up to this size are never cut: less than this is not worth sharing.
  static constexpr std::size_t kWhole = std::size_t{1} << 20U;

  ChunkingWriter(PackObjects& objects, Cut cut);

  Result<void> write(std::string_view piece) override;
  // What is left of a file, read straight into place.
  Result<void> take(int fd, const Path& shown);
  Result<StoredObject> finish() override;

 private:
  struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    void grow(std::size_t to, std::size_t kept);
    [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }
  };
  struct Cutting;  // one buffer with its chunks

  Result<void> filled(std::size_t bytes);
  Result<void> cut_buffer(bool last);
  Result<void> store(const Cutting& cutting);
  Result<void> keep_list(const Digest& digest);

  PackObjects& objects_;
  const Cut cut_;
  const Chunker chunker_;
  const std::size_t whole_;
  PartwiseSha256 hash_;
  std::uint64_t total_ = 0;
  Buffer buffer_;
  std::size_t used_ = 0;
  // From the first cut on: no sync may come between the chunks and their list.
  std::shared_lock<std::shared_mutex> putting_;
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_
  std::vector<std::shared_ptr<Cutting>> done_;
  WorkGroup work_;
};

}  // namespace trainyard
