// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/store/store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// A tree as people ask for it.
struct NamedTree {
  std::string name;  // "snapshot 3f2a…", "version digits@1.1", "dataset weather@2/training"
  Tree tree;
};

// The tree that a record names, which `name` says in errors. One that is not there is `corrupt`.
Result<Tree> load_kept_tree(const std::string& name, const Digest& digest, ObjectStore& objects);

// What reading the files of a kept tree failed with: an object that is not there is `corrupt`, unless it was purged.
Error error_of_kept_tree(Error error, const Tree& tree, const ObjectStore& objects);

// "digits@1.1" is a version of a package; "weather@2", "weather@2/training" and "weather/training" are datasets, or a
// folder in one; anything else is a snapshot's id or its beginning. `not_found` when there is none.
Result<NamedTree> find_named_tree(const Store& store, const std::string& reference);

}  // namespace trainyard
