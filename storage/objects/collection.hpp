// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <vector>

#include "storage/objects/object_census.hpp"
#include "storage/objects/sweep.hpp"
#include "storage/objects/write_hold.hpp"

namespace trainyard {

// What taking objects out of a store begins with: nobody else writes, what dead writers left in the scratch folder is
// gone, the index is whole, and every object in every pack is in it, so that nothing is taken for garbage because its
// index was lost.
struct Collection {
  WriteHold hold;
  std::set<PackId> adopted;  // packs that the index did not name before

  // `corrupt`, and a word about fsck, when the index is damaged or a pack is not there or damaged.
  static Result<Collection> begin(PackObjects& objects);
};

// What `mark` says, for each object of the census.
Result<std::vector<bool>> ask(const Mark& mark, ObjectCensus& census);

}  // namespace trainyard
