// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace trainyard {

// Memory for bytes that are about to be overwritten. It is not cleared, and is used again: fresh memory costs a page
// fault for every 4 KiB, which adds up to as much as hashing.
class Room {
 public:
  // What was there before may be lost.
  std::span<char> of(std::size_t bytes) {
    if (bytes > size_) {
      memory_.reset();
      memory_ = std::make_unique_for_overwrite<char[]>(bytes);
      size_ = bytes;
    }
    return {memory_.get(), bytes};
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace trainyard
