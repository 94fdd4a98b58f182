// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/block_codec.hpp"

#include <zstd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace trainyard {

namespace {

constexpr std::size_t kSample = 1024;
// Uniformly random bytes have sum(count²) ≈ n + n²/256 in a sample of n; text has ten times that. Two percent more than
// random already shrink by Huffman coding alone.
constexpr std::uint64_t kEven = (kSample + kSample * kSample / 256) * 112 / 100;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* compressor) const { ZSTD_freeCCtx(compressor); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* decompressor) const { ZSTD_freeDCtx(decompressor); }
};

// Two settings of zstd's fastest strategy, chosen by measurement (benchmarks/README.md): tables and numbers with short
// repeats shrink as well with a small table that stays in the first cache, and text shrinks by a fifth more with a large
// one, for a third more time.
enum class Effort { small_table, large_table };

void set_effort(ZSTD_CCtx* compressor, Effort effort) {
  const int table = effort == Effort::small_table ? 12 : 15;
  const int match = effort == Effort::small_table ? 7 : 6;
  for (const auto& [parameter, value] :
       {std::pair(ZSTD_c_windowLog, 20), std::pair(ZSTD_c_hashLog, table), std::pair(ZSTD_c_chainLog, table),
        std::pair(ZSTD_c_searchLog, 1), std::pair(ZSTD_c_minMatch, match), std::pair(ZSTD_c_targetLength, 0),
        std::pair(ZSTD_c_strategy, static_cast<int>(ZSTD_fast))}) {
    ZSTD_CCtx_setParameter(compressor, parameter, value);
  }
}

class Compressor {
 public:
  Compressor() : zstd_(ZSTD_createCCtx()) {
    if (zstd_) set_effort(zstd_.get(), effort_);
  }

  std::string_view compress(std::string_view bytes) {
    if (!zstd_) return {};
    if (blocks_++ % kBlocksPerTrial == 0 && bytes.size() >= kTrial) choose_effort(bytes.substr(0, kTrial));
    return compressed(bytes, bytes.size() - bytes.size() / 32);
  }

 private:
  static constexpr std::size_t kTrial = std::size_t{128} << 10U;
  static constexpr unsigned kBlocksPerTrial = 16;

  // What a thread compresses next is mostly more of the same.
  void choose_effort(std::string_view trial) {
    set_effort(zstd_.get(), Effort::small_table);
    const std::size_t small = compressed(trial, trial.size()).size();
    set_effort(zstd_.get(), Effort::large_table);
    const std::size_t large = compressed(trial, trial.size()).size();
    effort_ = large < small - small / 16 ? Effort::large_table : Effort::small_table;
    set_effort(zstd_.get(), effort_);
  }

  // A frame that does not fit is an error to zstd and an answer to us.
  std::string_view compressed(std::string_view bytes, std::size_t most) {
    if (frame_.size() < most) frame_.resize(most);
    const std::size_t got = ZSTD_compress2(zstd_.get(), frame_.data(), most, bytes.data(), bytes.size());
    if (ZSTD_isError(got) != 0U) return {};
    return std::string_view(frame_).substr(0, got);
  }

  std::unique_ptr<ZSTD_CCtx, FreeCompressor> zstd_;
  Effort effort_ = Effort::small_table;
  unsigned blocks_ = 0;
  std::string frame_;
};

bool spread_evenly(std::string_view sample) {
  std::array<std::uint32_t, 256> counts{};
  for (const char byte : sample) ++counts[static_cast<unsigned char>(byte)];
  std::uint64_t squares = 0;
  for (const std::uint32_t count : counts) squares += std::uint64_t{count} * count;
  return squares < kEven;
}

}  // namespace

bool looks_incompressible(std::string_view bytes) {
  if (bytes.size() < 2 * kSample) return false;
  if (!spread_evenly(bytes.substr((bytes.size() - kSample) / 2, kSample))) return false;
  if (bytes.size() < 32 * kSample) return true;
  return spread_evenly(bytes.substr(bytes.size() / 4, kSample)) &&
         spread_evenly(bytes.substr(bytes.size() - kSample, kSample));
}

std::string_view compress_block(std::string_view bytes) {
  thread_local Compressor compressor;
  return compressor.compress(bytes);
}

Result<void> decompress_block(std::string_view frame, char* raw, std::size_t raw_bytes) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> decompressor(ZSTD_createDCtx());
  if (!decompressor) return fail(Errc::io, "there is no memory to decompress a block");
  const std::size_t got = ZSTD_decompressDCtx(decompressor.get(), raw, raw_bytes, frame.data(), frame.size());
  if (ZSTD_isError(got) != 0U)
    return fail(Errc::corrupt, std::string("a block cannot be decompressed: ") + ZSTD_getErrorName(got));
  if (got != raw_bytes) return fail(Errc::corrupt, "a block has another size than it says");
  return {};
}

}  // namespace trainyard
