// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/checkout.hpp"

#include "storage/trees/tree_writer.hpp"

namespace trainyard {

Result<void> materialise(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress) {
  TreeWriter writer(tree, folder, progress);
  TRY(writer.make_folders());
  return stream_files(
      tree, [](const Digest&) { return true; }, objects, writer);
}

Result<void> checkout(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress) {
  if (is_there(folder)) {
    if (!is_folder(folder) || !TRY(list_folder(folder)).empty()) {
      return fail(Errc::exists, "'" + folder.string() + "' is already there and not an empty folder; choose another");
    }
  }
  const Path above = folder.has_parent_path() ? folder.parent_path() : Path(".");
  if (!is_folder(above)) TRY(make_folders(above));
  const Path temporary = scratch_name(above, ".trainyard-checkout");
  TRY(make_folder(temporary));
  auto done = materialise(tree, objects, temporary, progress);
  // A folder can be renamed onto an empty one, and onto nothing else.
  if (done.ok()) done = rename_path(temporary, folder);
  if (!done.ok()) static_cast<void>(remove_tree(temporary));
  return done;
}

}  // namespace trainyard
