// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// How far a checkout or a verification is. Called from the store's threads, one call at a time.
using TreeProgress = std::function<void(std::uint64_t files_done, std::uint64_t files)>;

// A part of a tree's objects, chosen by chance: each with the probability `share`, the same ones for the same seed, and
// one at least.
struct VerifySample {
  double share = 1;
  std::uint64_t seed = 0;
};

// Reads every object of the tree, or of the sample. One sentence for each file whose object is missing or corrupt, in the
// order of paths.
Result<std::vector<std::string>> verify(const Tree& tree, ObjectStore& objects, const TreeProgress& progress = {},
                                        const VerifySample& sample = {});

}  // namespace trainyard
