// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trainyard {

// Cuts a stream of bytes into chunks at places that the bytes themselves choose, so that an insertion moves the cuts
// along with the data and the chunks after it stay the same.
//
// FastCDC (Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication", USENIX
// ATC 2016): a gear hash over the last 64 bytes, no cut below the minimum, and normalised chunking: four times as hard a
// condition below the average as at it, four times as easy a one above. The gear table is part of the store's format:
// another table finds other cuts, and shares nothing with what is stored.
class Chunker {
 public:
  struct Sizes {
    std::size_t least;
    std::size_t average;  // a power of two
    std::size_t most;
  };

  explicit constexpr Chunker(const Sizes& sizes) : sizes_(sizes) {
    unsigned bits = 0;
    while ((std::size_t{1} << (bits + 1)) <= sizes.average) ++bits;
    below_ = std::uint64_t{1} << (64U - (bits + 2));
    above_ = std::uint64_t{1} << (64U - (bits - 2));
  }

  // The length of the first chunk of `bytes`, which begin where the chunk before ended and hold `most` bytes or all that
  // are left.
  [[nodiscard]] std::size_t cut(std::string_view bytes) const;

  [[nodiscard]] const Sizes& sizes() const { return sizes_; }

 private:
  Sizes sizes_;
  std::uint64_t below_ = 0;  // a cut where the hash is less: harder below the average size
  std::uint64_t above_ = 0;  // easier above it
};

}  // namespace trainyard
