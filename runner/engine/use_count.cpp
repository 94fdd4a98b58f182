// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/use_count.hpp"

namespace trainyard {

void UseCount::reach(std::size_t object, std::uint64_t bytes) {
  const auto owner = static_cast<std::uint32_t>(owners_.size() - 1);
  std::uint32_t& last = last_[object];
  if (last == owner) return;
  ++owners_[owner].objects;
  if (last == kNobody) {
    owners_[owner].unique_bytes += bytes;
    live_bytes_ += bytes;
    ++live_objects_;
  } else {
    owners_[owner].shared_bytes += bytes;
    if (!shared_[object]) {
      owners_[last].unique_bytes -= bytes;
      owners_[last].shared_bytes += bytes;
      shared_bytes_ += bytes;
      shared_[object] = true;
    }
  }
  last = owner;
}

}  // namespace trainyard
