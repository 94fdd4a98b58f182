// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "storage/values/digest.hpp"

namespace trainyard {

// Several SHA-256 at once in one thread. A processor's SHA instructions wait for each other within one hash, so two hashes
// side by side take little longer than one; where there are none, they take turns. The interleaved rounds are those of
// FIPS 180-4, by the SHA extensions of the Intel 64 instruction set.

// The digest of each.
std::vector<Digest> sha256_each(std::span<const std::string_view> texts);

// The digest of a whole and those of its parts, in one pass over the bytes.
class PartwiseSha256 {
 public:
  PartwiseSha256();
  ~PartwiseSha256();
  PartwiseSha256(const PartwiseSha256&) = delete;
  PartwiseSha256& operator=(const PartwiseSha256&) = delete;

  // Takes the next part of the whole and yields the digest of the part alone.
  Digest part(std::string_view bytes);
  // The digest of everything since construction. The last call.
  Digest whole();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace trainyard
