// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/checkout.hpp"

#include <fcntl.h>

namespace trainyard {

namespace {

Result<void> write_entry(const TreeEntry& entry, ObjectStore& objects, FolderWriter& writer) {
  if (entry.kind == TreeEntry::Kind::empty_folder) return writer.create_folder(entry.path);
  const Path shown = writer.root() / entry.path.bytes();
  const UniqueFd fd = TRY(writer.create_file(entry.path, entry.executable));
  const std::uint64_t bytes = TRY(objects.copy_to(*entry.digest, fd.get(), shown));
  if (bytes != entry.size) {
    return fail(Errc::corrupt, "the tree says that '" + entry.path.text() + "' has " + std::to_string(entry.size) +
                                   " bytes but its object has " + std::to_string(bytes));
  }
  return {};
}

}  // namespace

Result<void> materialise(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress) {
  FolderWriter writer = TRY(FolderWriter::at(folder));
  std::uint64_t done = 0;
  for (const TreeEntry& entry : tree.entries()) {
    TRY(write_entry(entry, objects, writer));
    if (progress) progress(++done, tree.entries().size());
  }
  return {};
}

Result<void> checkout(const Tree& tree, ObjectStore& objects, const Path& folder, const TreeProgress& progress) {
  if (is_there(folder)) {
    if (!is_folder(folder) || !TRY(list_folder(folder)).empty()) {
      return fail(Errc::exists, "'" + folder.string() + "' is already there and not an empty folder; choose another");
    }
  }
  const Path above = folder.has_parent_path() ? folder.parent_path() : Path(".");
  TRY(make_folders(above));
  const Path temporary = scratch_name(above, ".trainyard-checkout");
  TRY(make_folder(temporary));
  auto done = materialise(tree, objects, temporary, progress);
  // A folder can be renamed onto an empty one, and onto nothing else.
  if (done.ok()) done = rename_path(temporary, folder);
  if (!done.ok()) static_cast<void>(remove_tree(temporary));
  return done;
}

Result<std::vector<std::string>> verify(const Tree& tree, ObjectStore& objects, const TreeProgress& progress) {
  const UniqueFd nowhere = TRY(open_file("/dev/null", O_WRONLY));
  std::vector<std::string> problems;
  std::uint64_t done = 0;
  for (const TreeEntry& entry : tree.entries()) {
    if (entry.kind == TreeEntry::Kind::file) {
      const auto bytes = objects.copy_to(*entry.digest, nowhere.get(), "/dev/null");
      if (!bytes.ok()) {
        problems.push_back(entry.path.text() + ": " + bytes.error().message);
      } else if (*bytes != entry.size) {
        problems.push_back(entry.path.text() + ": its object has another size than the tree says");
      }
    }
    if (progress) progress(++done, tree.entries().size());
  }
  return problems;
}

}  // namespace trainyard
