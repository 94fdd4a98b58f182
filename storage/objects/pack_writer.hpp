// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/files/files.hpp"

namespace trainyard {

// One growing file that many threads append to. Bytes gather in a few aligned buffers, which a thread of its own writes
// past the page cache where the file system lets it: a snapshot should not push the dataset out of memory, and copying
// into the cache costs as much as hashing. Small files never start the thread. The file is removed unless it was
// finished and renamed.
class PackWriter {
 public:
  // A new file; its name is `path` until the caller renames it.
  static Result<std::unique_ptr<PackWriter>> create(Path path);
  ~PackWriter();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  // Appends the pieces next to each other; yields where the first begins. Thread-safe.
  Result<std::uint64_t> append(std::initializer_list<std::string_view> pieces);
  // What was appended, whether it is in the file yet or not. Thread-safe.
  Result<void> read_back(std::uint64_t offset, std::span<char> bytes);
  // Everything is in the file and durable. The last call but `keep`.
  Result<void> finish();
  // The file has another name by now, and stays.
  void keep() { path_.clear(); }

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  struct FreeBuffer {
    void operator()(char* buffer) const;
  };
  using Buffer = std::unique_ptr<char, FreeBuffer>;
  struct Full {
    Buffer bytes;
    std::uint64_t offset;
  };

  PackWriter(Path path, UniqueFd fd, UniqueFd reading);
  static Buffer new_buffer();
  Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset) const;
  void turn_over();  // REQUIRES: the lock
  void write_full_buffers();

  Path path_;
  const UniqueFd fd_;       // past the cache, if possible
  const UniqueFd reading_;  // the same file through the cache
  std::mutex appending_;    // taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Buffer current_;            // all guarded by mutex_ from here
  std::size_t filled_ = 0;    // bytes in current_
  std::uint64_t offset_ = 0;  // of current_ in the file
  std::deque<Full> full_;     // waiting to be written, the first perhaps being written
  std::vector<Buffer> spare_;
  std::size_t buffers_ = 1;
  std::optional<Error> error_;
  bool ending_ = false;
  std::jthread thread_;
};

}  // namespace trainyard
