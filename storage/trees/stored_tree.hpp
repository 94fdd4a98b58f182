// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "storage/objects/object_store.hpp"
#include "storage/values/rel_path.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// A tree is an object too: its canonical bytes, cut finely, so that a long tree that changed in few places shares most
// of them with the one before.
Result<TreeSummary> store_tree(const Tree& tree, ObjectStore& objects);
// `corrupt` when the object is no tree.
Result<Tree> load_tree(const Digest& digest, ObjectStore& objects);

// The bytes of one file, verified on the way; yields how many. `not_found` when the tree has no such path, `invalid` when
// it is a folder; of the store's errors, `corrupt` may come after all bytes reached the sink.
Result<std::uint64_t> stream_file(const Tree& tree, const RelPath& path, ObjectStore& objects, const ByteSink& sink);

}  // namespace trainyard
