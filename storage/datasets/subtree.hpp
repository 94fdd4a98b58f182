// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/values/rel_path.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// One folder of a tree as a tree of its own: what lies below it, with paths from there, and so with a digest that tells
// nothing of where it lay. `not_found` names the folder that was likely meant; `invalid` when it is a file, or when
// there is no file below it. Pure.
Result<Tree> subtree(const Tree& tree, const RelPath& folder);

}  // namespace trainyard
