// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/files/files.hpp"

namespace trainyard {

// Writes a new file from front to end and leaves long runs of zeros out, as holes: a sparse file stays one. Does not own
// the file.
class SparseWriter {
 public:
  static constexpr std::size_t kHole = std::size_t{64} << 10U;  // runs of at least so many zeros

  explicit SparseWriter(int fd) : fd_(fd) {}

  Result<void> write(std::string_view piece, const Path& shown);
  // The file has its size only now.
  Result<void> finish(const Path& shown);
  [[nodiscard]] std::uint64_t bytes() const { return written_ + zeros_; }

 private:
  Result<void> write_data(std::string_view data, const Path& shown);

  int fd_;
  std::uint64_t written_ = 0;  // where the file's next byte belongs, without zeros_
  std::uint64_t zeros_ = 0;    // come, and neither written nor skipped yet
};

}  // namespace trainyard
