// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/chunker.hpp"

#include <algorithm>
#include <array>

namespace trainyard {

namespace {

// 256 numbers of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
constexpr std::array<std::uint64_t, 256> gear_table() {
  std::array<std::uint64_t, 256> table{};
  std::uint64_t state = 0x5472'6169'6e79'6172;
  for (std::uint64_t& value : table) {
    state += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58'476d'1ce4'e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d0'49bb'1331'11eb;
    value = mixed ^ (mixed >> 31U);
  }
  return table;
}

constexpr std::array<std::uint64_t, 256> kGear = gear_table();
constexpr std::array<std::uint64_t, 256> kGearShifted = [] {
  std::array<std::uint64_t, 256> table = kGear;
  for (std::uint64_t& value : table) value <<= 1U;
  return table;
}();
constexpr std::size_t kGearWindow = 64;

// How many bytes end where the hash is first below the threshold, looking from `at` to `end`; 0 when it never is, and then
// the hash goes on. Two bytes a step, because each step waits for the one before.
std::size_t find_cut(const unsigned char* data, std::size_t at, std::size_t end, std::uint64_t threshold,
                     std::uint64_t& hash) {
  std::uint64_t now = hash;
  for (; at + 1 < end; at += 2) {
    if ((now << 1U) + kGear[data[at]] < threshold) return at + 1;
    now = (now << 2U) + (kGearShifted[data[at]] + kGear[data[at + 1]]);
    if (now < threshold) return at + 2;
  }
  if (at < end) {
    now = (now << 1U) + kGear[data[at]];
    if (now < threshold) return at + 1;
  }
  hash = now;
  return 0;
}

}  // namespace

std::size_t Chunker::cut(std::string_view bytes) const {
  if (bytes.size() <= sizes_.least) return bytes.size();
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const std::size_t most = std::min(bytes.size(), sizes_.most);
  const std::size_t middle = std::min(most, sizes_.average);
  std::uint64_t hash = 0;
  std::size_t at = sizes_.least - std::min(sizes_.least, kGearWindow);
  for (; at < sizes_.least; ++at) hash = (hash << 1U) + kGear[data[at]];
  if (const std::size_t end = find_cut(data, sizes_.least, middle, below_, hash); end != 0) return end;
  if (const std::size_t end = find_cut(data, middle, most, above_, hash); end != 0) return end;
  return most;
}

}  // namespace trainyard
