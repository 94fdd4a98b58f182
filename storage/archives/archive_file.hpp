// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "storage/archives/archive_reader.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// The bytes of an archive as they lie in its file: read from anywhere, counted for the progress. Single-threaded.
class ArchiveFile {
 public:
  // `invalid` when it is no regular file.
  static Result<ArchiveFile> open(const Path& path, const ArchiveOptions& options);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return static_cast<std::uint64_t>(before_.st_size); }

  // At most `most` bytes at `offset`, fewer only because of the file's end or a block's: empty at the end. Valid until
  // the next call.
  Result<std::string_view> read(std::uint64_t offset, std::uint64_t most = UINT64_MAX);
  // Asks whether to go on. Called by whatever may take long without a `read`.
  Result<void> go_on() const;
  // `invalid` when the file is not the one that was opened any more.
  Result<void> check_unchanged() const;

  // Read so far, for the progress.
  void count_entries(std::uint64_t entries) { entries_ = entries; }

 private:
  ArchiveFile(UniqueFd fd, const Path& path, const struct stat& before, const ArchiveOptions& options);

  UniqueFd fd_;
  Path path_;
  struct stat before_;
  const ArchiveOptions* options_;
  std::unique_ptr<char[]> block_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t entries_ = 0;
};

// Most bytes that an archive of this size may turn into.
std::uint64_t most_unpacked(std::uint64_t archive_bytes);
// Refuses more than that.
Result<void> check_unpacked(std::uint64_t bytes, std::uint64_t archive_bytes);

}  // namespace trainyard
