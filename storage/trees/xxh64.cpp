// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/xxh64.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace trainyard {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9U;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63U;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5U;

template <class T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

}  // namespace

void Xxh64::stripe(const char* bytes) {
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    lanes_[i] = std::rotl(lanes_[i] + load<std::uint64_t>(bytes + 8 * i) * kPrime2, 31) * kPrime1;
}

void Xxh64::update(std::string_view bytes) {
  size_ += bytes.size();
  if (rest_size_ != 0) {
    const std::size_t part = std::min(rest_.size() - rest_size_, bytes.size());
    std::memcpy(rest_.data() + rest_size_, bytes.data(), part);
    rest_size_ += part;
    bytes.remove_prefix(part);
    if (rest_size_ < rest_.size()) return;
    stripe(rest_.data());
    rest_size_ = 0;
  }
  for (; bytes.size() >= rest_.size(); bytes.remove_prefix(rest_.size())) stripe(bytes.data());
  if (bytes.empty()) return;
  std::memcpy(rest_.data(), bytes.data(), bytes.size());
  rest_size_ = bytes.size();
}

std::uint64_t Xxh64::value() const {
  std::uint64_t hash = kPrime5;
  if (size_ >= rest_.size()) {
    hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) + std::rotl(lanes_[3], 18);
    for (const std::uint64_t lane : lanes_)
      hash = (hash ^ (std::rotl(lane * kPrime2, 31) * kPrime1)) * kPrime1 + kPrime4;
  }
  hash += size_;
  std::size_t at = 0;
  for (; at + 8 <= rest_size_; at += 8) {
    hash ^= std::rotl(load<std::uint64_t>(rest_.data() + at) * kPrime2, 31) * kPrime1;
    hash = std::rotl(hash, 27) * kPrime1 + kPrime4;
  }
  if (at + 4 <= rest_size_) {
    hash ^= load<std::uint32_t>(rest_.data() + at) * kPrime1;
    hash = std::rotl(hash, 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at < rest_size_; ++at) hash = std::rotl(hash ^ (static_cast<std::uint8_t>(rest_[at]) * kPrime5), 11) * kPrime1;
  hash = (hash ^ (hash >> 33U)) * kPrime2;
  hash = (hash ^ (hash >> 29U)) * kPrime3;
  return hash ^ (hash >> 32U);
}

}  // namespace trainyard
