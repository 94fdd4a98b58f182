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

// One growing file that many threads append to. Each reserves its place and copies its bytes there by itself, side by
// side with the others, into a few aligned windows upon the file, which two threads write past the page cache where the
// file system lets them: a snapshot should not push the dataset out of memory, and copying into the cache costs as much
// as hashing. Small files never start a thread. The file is removed unless it was finished and renamed.
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
  struct Window {
    Buffer bytes;
    std::size_t missing;  // of its bytes, those that nobody has copied here yet
    enum class State { waiting, being_written, written } state = State::waiting;
  };

  PackWriter(Path path, UniqueFd fd, UniqueFd reading);
  static Buffer new_buffer();
  Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset) const;
  // That of the byte at `offset`, which somebody has reserved and not copied yet; it stays until that is done. REQUIRES:
  // the lock, which is given away while this waits for memory.
  Window& window_at(std::uint64_t offset, std::unique_lock<std::mutex>& lock);
  void write_full_windows();
  // The first one that is full and that nobody writes, as a number among them; none when there is none.
  [[nodiscard]] std::optional<std::size_t> full_window() const;  // REQUIRES: the lock
  void write_window(std::size_t number, std::unique_lock<std::mutex>& lock);

  Path path_;
  const UniqueFd fd_;       // past the cache, if possible
  const UniqueFd reading_;  // the same file through the cache
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t end_ = 0;      // of what is reserved; all guarded by mutex_ from here
  std::uint64_t written_ = 0;  // where the first window begins, or will
  std::deque<Window> windows_;
  std::vector<Buffer> spare_;
  std::size_t buffers_ = 0;
  // Up to here the file system was asked for space, so that writes do not have to wait for each other to extend the file.
  std::uint64_t allocated_ = 0;
  std::optional<Error> error_;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace trainyard
