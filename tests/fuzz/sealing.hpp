// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// Checksums and repeated statements stop nearly every random change at the door. To seal bytes is to make such things
// agree with the rest again, as somebody would who means harm. Nothing moves.
namespace trainyard::fuzz {

using Bytes = std::span<std::uint8_t>;

// The checksum of each header of a tar.
void seal_tar(Bytes bytes);
// A zip's headers before the data as its directory has them, with the sizes and checksums that the data has.
void seal_zip(Bytes bytes);
// The digests and checks of a pack's records and of an index.
void seal_pack(Bytes bytes);

// For LLVMFuzzerCustomMutator: some changes stay as they came.
template <class Seal>
std::size_t mutate_and_seal(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed, Seal seal) {
  const std::size_t changed = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 != 0) seal(Bytes(data, changed));
  return changed;
}

}  // namespace trainyard::fuzz
