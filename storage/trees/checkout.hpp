// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/objects/object_store.hpp"
#include "storage/trees/folder_writer.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// How far a checkout or a verification is; called in the calling thread.
using TreeProgress = std::function<void(std::uint64_t files_done, std::uint64_t files)>;

// Writes every file of the tree below `folder`, which is empty, and verifies each on the way. After an error the folder
// holds a part.
Result<void> materialise(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress = {});

// Makes `folder` appear whole, with the tree in it: it must not exist, or be empty. Works in a temporary folder beside
// it, which is gone after an error.
Result<void> checkout(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress = {});

// Reads every object of the tree. One sentence for each file whose object is missing or corrupt.
Result<std::vector<std::string>> verify(const Tree& tree, ObjectStore& objects, const TreeProgress& progress = {});

}  // namespace trainyard
