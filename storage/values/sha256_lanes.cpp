// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256_lanes.hpp"

// The running state of a hash, which the newer interface hides.
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace trainyard {

namespace {

constexpr std::size_t kBlock = 64;

Digest finish(SHA256_CTX& hash) {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  SHA256_Final(bytes.data(), &hash);
  return Digest(bytes);
}

#if defined(__x86_64__)

bool has_sha_instructions() {
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned kSha = 1U << 29U;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0 && __builtin_cpu_supports("sse4.1") != 0;
  }();
  return has;
}

alignas(16) constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct Lane {
  __m128i low;   // the words a, b, e, f of the state
  __m128i high;  // c, d, g, h
  __m128i words[4];
};

#define TRAINYARD_SHA __attribute__((target("sha,sse4.1"), always_inline)) inline

TRAINYARD_SHA void load_state(Lane& lane, const SHA256_CTX& hash) {
  const __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&hash.h[0])), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&hash.h[4])), 0x1B);
  lane.low = _mm_alignr_epi8(dcba, hgfe, 8);
  lane.high = _mm_blend_epi16(hgfe, dcba, 0xF0);
}

TRAINYARD_SHA void store_state(const Lane& lane, SHA256_CTX& hash) {
  const __m128i feba = _mm_shuffle_epi32(lane.low, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(lane.high, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&hash.h[0]), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&hash.h[4]), _mm_alignr_epi8(dchg, feba, 8));
}

// Four rounds, and the four message words that come sixteen rounds later.
template <int kGroup>
TRAINYARD_SHA void rounds(Lane& lane, __m128i key) {
  __m128i& now = lane.words[kGroup % 4];
  const __m128i sum = _mm_add_epi32(now, key);
  lane.high = _mm_sha256rnds2_epu32(lane.high, lane.low, sum);
  lane.low = _mm_sha256rnds2_epu32(lane.low, lane.high, _mm_shuffle_epi32(sum, 0x0E));
  if constexpr (kGroup < 12) {
    const __m128i last = lane.words[(kGroup + 3) % 4];
    const __m128i mixed = _mm_add_epi32(_mm_sha256msg1_epu32(now, lane.words[(kGroup + 1) % 4]),
                                        _mm_alignr_epi8(last, lane.words[(kGroup + 2) % 4], 4));
    now = _mm_sha256msg2_epu32(mixed, last);
  }
}

template <int kGroup>
TRAINYARD_SHA void rounds_of_both(Lane& a, Lane& b) {
  const __m128i key = _mm_load_si128(reinterpret_cast<const __m128i*>(&kRound[std::size_t{kGroup} * 4]));
  rounds<kGroup>(a, key);
  rounds<kGroup>(b, key);
  if constexpr (kGroup < 15) rounds_of_both<kGroup + 1>(a, b);
}

TRAINYARD_SHA void load_words(Lane& lane, const char* bytes) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; ++i)
    lane.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i)), swap);
}

void count_blocks(SHA256_CTX& hash, std::size_t blocks) {
  const std::uint64_t bits = ((std::uint64_t{hash.Nh} << 32U) | hash.Nl) + std::uint64_t{blocks} * kBlock * 8;
  hash.Nl = static_cast<SHA_LONG>(bits);
  hash.Nh = static_cast<SHA_LONG>(bits >> 32U);
}

// REQUIRES: neither hash holds a part of a block.
__attribute__((target("sha,sse4.1"))) void hash_blocks(SHA256_CTX& first, const char* first_bytes, SHA256_CTX& second,
                                                       const char* second_bytes, std::size_t blocks) {
  Lane a;
  Lane b;
  load_state(a, first);
  load_state(b, second);
  for (std::size_t block = 0; block < blocks; ++block) {
    load_words(a, first_bytes + block * kBlock);
    load_words(b, second_bytes + block * kBlock);
    const Lane a_before = a;
    const Lane b_before = b;
    rounds_of_both<0>(a, b);
    a.low = _mm_add_epi32(a.low, a_before.low);
    a.high = _mm_add_epi32(a.high, a_before.high);
    b.low = _mm_add_epi32(b.low, b_before.low);
    b.high = _mm_add_epi32(b.high, b_before.high);
  }
  store_state(a, first);
  store_state(b, second);
  count_blocks(first, blocks);
  count_blocks(second, blocks);
}

#undef TRAINYARD_SHA

#else

bool has_sha_instructions() { return false; }
void hash_blocks(SHA256_CTX&, const char*, SHA256_CTX&, const char*, std::size_t) {}

#endif

}  // namespace

namespace {

// A hash that stands at the border of two blocks, and what is still to come of its text.
struct Rest {
  SHA256_CTX hash;
  std::string_view text;
  std::size_t number;
};

}  // namespace

std::vector<Digest> sha256_each(std::span<const std::string_view> texts) {
  std::vector<Digest> digests(texts.size(), Digest({}));
  std::size_t next = 0;
  const auto begin = [&](Rest& lane) {
    lane.number = next;
    lane.text = texts[next++];
    SHA256_Init(&lane.hash);
  };
  const auto end = [&](Rest& lane) {
    SHA256_Update(&lane.hash, lane.text.data(), lane.text.size());
    digests[lane.number] = finish(lane.hash);
  };
  std::array<Rest, 2> lanes;
  const bool paired = has_sha_instructions() && texts.size() > 1;
  for (std::size_t i = 0; paired && i < lanes.size(); ++i) begin(lanes[i]);
  while (paired) {
    const std::size_t blocks = std::min(lanes[0].text.size(), lanes[1].text.size()) / kBlock;
    hash_blocks(lanes[0].hash, lanes[0].text.data(), lanes[1].hash, lanes[1].text.data(), blocks);
    for (Rest& lane : lanes) lane.text.remove_prefix(blocks * kBlock);
    Rest& shorter = lanes[0].text.size() <= lanes[1].text.size() ? lanes[0] : lanes[1];
    end(shorter);
    if (next == texts.size()) {
      end(&shorter == &lanes[0] ? lanes[1] : lanes[0]);
      break;
    }
    begin(shorter);
  }
  while (next < texts.size()) {
    begin(lanes[0]);
    end(lanes[0]);
  }
  return digests;
}

struct PartwiseSha256::State {
  SHA256_CTX whole;
};

PartwiseSha256::PartwiseSha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->whole); }

PartwiseSha256::~PartwiseSha256() = default;

Digest PartwiseSha256::part(std::string_view bytes) {
  SHA256_CTX& whole = state_->whole;
  SHA256_CTX part;
  SHA256_Init(&part);
  std::string_view for_whole = bytes;
  std::string_view for_part = bytes;
  if (has_sha_instructions() && bytes.size() >= 2 * kBlock) {
    const std::size_t missing = whole.num == 0 ? 0 : kBlock - whole.num;
    SHA256_Update(&whole, for_whole.data(), missing);
    for_whole.remove_prefix(missing);
    const std::size_t blocks = for_whole.size() / kBlock;
    hash_blocks(whole, for_whole.data(), part, for_part.data(), blocks);
    for_whole.remove_prefix(blocks * kBlock);
    for_part.remove_prefix(blocks * kBlock);
  }
  SHA256_Update(&whole, for_whole.data(), for_whole.size());
  SHA256_Update(&part, for_part.data(), for_part.size());
  return finish(part);
}

Digest PartwiseSha256::whole() { return finish(state_->whole); }

}  // namespace trainyard
