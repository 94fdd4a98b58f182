// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/reflink_dataset_mount.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "runner/mounts/copy_tree.hpp"
#include "runner/mounts/dataset_folder.hpp"

namespace trainyard {

namespace {

namespace fs = boost::filesystem;

// A dataset of folders without a file is not walked for longer than this.
constexpr int kEntriesLookedAt = 10'000;

Result<void> share_content(int from, const Path& source, int to, const Path& copy) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOTTY || errno == ENOSYS) {
    return fail(Errc::invalid, "'" + source.string() + "' cannot share its content with '" + copy.string() +
                                   "': the file system has no reflinks, " +
                                   "or they are two file systems; use the mount 'copy'");
  }
  return system_error("share content with", copy, errno);
}

Result<Path> first_file(const Path& folder) {
  boost::system::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (int looked_at = 0; !error && entry != fs::recursive_directory_iterator() && looked_at < kEntriesLookedAt;
       ++looked_at) {
    if (fs::symlink_status(entry->path(), error).type() == fs::regular_file) return entry->path();
    entry.increment(error);
  }
  return fail(Errc::not_found, "'" + folder.string() + "' has no file to try");
}

Result<void> try_reflink(const Path& dataset, const Path& scratch) {
  const Path source = TRY(first_file(dataset));
  const UniqueFd from = TRY(open_file(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const Path copy = scratch_name(scratch, "reflink-probe");
  const UniqueFd to = TRY(open_file(copy, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const auto shared = share_content(from.get(), source, to.get(), copy);
  TRY(remove_file(copy));
  return shared;
}

}  // namespace

Result<MountedDataset> ReflinkDatasetMount::prepare(const Path& dataset, const Path& target, const Path& /*layer*/) {
  const Path source = TRY(resolve_dataset(dataset));
  TRY(require_outside(source, target));
  TRY(copy_tree(source, target, share_content));
  return MountedDataset{MountKind::reflink, target, std::nullopt};
}

bool can_reflink(const Path& dataset, const Path& scratch) { return try_reflink(dataset, scratch).ok(); }

}  // namespace trainyard
