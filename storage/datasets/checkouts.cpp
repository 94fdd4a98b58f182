// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/checkouts.hpp"

namespace trainyard {

namespace {

Result<std::optional<Checkout>> look(const Path& folder) {
  const auto status = TRY(status_of(folder));
  if (!status || !S_ISDIR(status->st_mode)) return std::optional<Checkout>();
  return std::optional(Checkout{folder, FileStamp::of(*status)});
}

Result<void> write_out(const Digest& digest, ObjectStore& objects, const Path& folder, const TreeProgress& progress) {
  auto tree = load_tree(digest, objects);
  auto done = tree.ok() ? checkout(*tree, objects, folder, progress) : Result<void>(tree.error());
  if (done.ok() || done.error().code != Errc::not_found) return done;
  return fail(Errc::corrupt, "the store has lost a part of the tree " + digest.hex() + ": " + done.error().message);
}

}  // namespace

Result<Checkout> Checkouts::get(const Digest& tree, ObjectStore& objects, const TreeProgress& progress) const {
  const Path folder = folder_ / tree.hex();
  if (auto before = TRY(look(folder))) return std::move(*before);
  const Path made = scratch_name(scratch_, "checkout");
  auto done = write_out(tree, objects, made, progress);
  if (done.ok()) done = rename_path(made, folder);
  if (!done.ok()) static_cast<void>(remove_tree(made));
  // Also when somebody else was faster: a folder cannot be renamed onto one that holds something.
  if (auto now = TRY(look(folder))) return std::move(*now);
  TRY(done);
  return fail(Errc::io, "the checkout '" + folder.string() + "' was removed while it was made; try again");
}

Result<void> Checkouts::discard(const Checkout& found) const {
  const auto now = TRY(look(found.folder));
  if (!now || now->stamp != found.stamp) return {};
  // Out of the way at once, whole; a run that reads it notices its end like any other change.
  const Path rubbish = scratch_name(scratch_, "discarded");
  TRY(rename_path(found.folder, rubbish));
  return remove_tree(rubbish);
}

}  // namespace trainyard
