// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/objects/object_store.hpp"
#include "storage/trees/folder_writer.hpp"
#include "storage/trees/verify.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// Writes every file of the tree below `folder`, which is empty, and verifies each on the way. Long runs of zeros become
// holes. Nothing is synced. After an error the folder holds a part.
Result<void> materialise(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress = {});

// Makes `folder` appear whole, with the tree in it: it must not exist, or be empty. Works in a temporary folder beside
// it, which is gone after an error.
Result<void> checkout(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress = {});

}  // namespace trainyard
