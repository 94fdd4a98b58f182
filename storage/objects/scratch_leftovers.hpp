// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "storage/files/files.hpp"

// What processes that died left in the scratch folder, under the names that scratch_name gives, which tell the process.
namespace trainyard {

struct Leftover {
  Path path;
  std::uint64_t bytes = 0;
};

// Whether somebody may be writing objects now.
enum class Writers { may_work, kept_out };

// Packs and indexes that were on their way into the store: all of them when writers are kept out, else those of processes
// that are gone.
Result<std::vector<Leftover>> find_leftovers(const Path& scratch, Writers writers);
// REQUIRES: writers are kept out.
Result<void> remove_leftovers(const Path& scratch);

}  // namespace trainyard
