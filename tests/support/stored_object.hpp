// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"

namespace trainyard {

// The record in which an object of a store lies.
struct RecordPlace {
  Path pack;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// None when the store has no such object. Throws when it cannot be opened.
std::optional<RecordPlace> place_of(const Path& store, const Digest& digest);
// Changes a bit in the middle of the object's record. Throws when there is no such object.
void damage_object(const Path& store, const Digest& digest);

}  // namespace trainyard
