// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "storage/values/digest.hpp"

namespace trainyard {

// The SHA-256 of a whole and those of its parts, in one pass over the bytes. A processor's SHA instructions wait for each
// other within one hash, so two hashes at once take little longer than one; where there are none, the parts cost a second
// pass. The interleaved rounds are those of FIPS 180-4, by the SHA extensions of the Intel 64 instruction set. One thread.
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
