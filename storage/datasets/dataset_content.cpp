// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/dataset_content.hpp"

#include "storage/datasets/subtree.hpp"
#include "storage/trees/capture.hpp"

namespace trainyard {

Result<Tree> content_of(const DatasetVersion& version, const std::optional<RelPath>& folder, ObjectStore& objects) {
  auto tree = load_tree(version.tree.digest, objects);
  if (!tree.ok()) {
    const Errc code = tree.error().code == Errc::not_found ? Errc::corrupt : tree.error().code;
    return fail(code, "the content of the dataset '" + version.text() + "' cannot be read: " + tree.error().message);
  }
  if (!folder) return tree;
  auto below = subtree(*tree, *folder);
  if (!below.ok()) return within("dataset '" + version.text() + "'", below.error());
  return below;
}

}  // namespace trainyard
