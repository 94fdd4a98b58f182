// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/data_intake.hpp"

#include <cerrno>

#include "runner/mounts/dataset_folder.hpp"
#include "storage/archives/archive_reader.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Error holds_nothing(const Path& path) {
  return fail(Errc::invalid, "'" + path.string() + "' holds no file; a dataset needs at least one");
}

Result<TreeSummary> keep_archive(const Path& path, const Store& store, const IntakeOptions& intake) {
  ArchiveOptions options;
  if (intake.progress) {
    options.progress = [&](const ArchiveProgress& progress) {
      intake.progress({progress.entries, progress.entries, progress.bytes_done, progress.bytes});
    };
  }
  options.cancelled = intake.cancelled;
  const Tree tree = TRY(read_archive(path, store.objects(), options));
  if (tree.files() == 0) return holds_nothing(path);
  const TreeSummary summary = TRY(store_tree(tree, store.objects()));
  TRY(store.objects().sync());
  return summary;
}

Result<TreeSummary> keep_folder(const Path& path, const Store& store, const IntakeOptions& intake) {
  CaptureOptions options;
  options.objects = &store.objects();
  options.cache = store.stat_cache_of(path);
  options.progress = intake.progress;
  options.cancelled = intake.cancelled;
  CapturedFolder captured = TRY(capture(path, options));
  if (captured.tree.files() == 0) return holds_nothing(path);
  const TreeSummary summary = TRY(store_tree(captured, store.objects()));
  TRY(store.objects().sync());
  static_cast<void>(keep_cache(captured));
  return summary;
}

}  // namespace

Result<UserData> find_user_data(const Path& given, const Store& store) {
  struct stat status {};
  if (::stat(given.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return system_error("look at", given, errno);
    return fail(Errc::not_found, "there is no folder or archive '" + given.string() + "'");
  }
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
    return fail(Errc::invalid, "'" + given.string() + "' is neither a folder nor an archive");
  UserData data;
  if (S_ISREG(status.st_mode)) data.kind = DataSource::Kind::archive;
  data.path = TRY(real_path(given));
  if (!is_utf8(data.path.string())) {
    return fail(Errc::invalid, "the path '" + utf8_cleaned(data.path.string()) +
                                   "' is not UTF-8, so no record can hold it; rename it");
  }
  const Path root = TRY(real_path(store.root()));
  if (data.path.string().starts_with(root.string() + "/")) {
    return fail(Errc::invalid, "'" + data.path.string() + "' lies inside the store '" + root.string() +
                                   "'; give data from outside of it");
  }
  // By identity as well: one folder can have two paths.
  if (data.kind == DataSource::Kind::folder && !require_outside(data.path, root).ok()) {
    return fail(Errc::invalid,
                "'" + data.path.string() + "' contains the store '" + root.string() + "'; give data that does not");
  }
  return data;
}

Result<TreeSummary> keep_user_data(const UserData& data, const Store& store, const IntakeOptions& options) {
  return data.kind == DataSource::Kind::archive ? keep_archive(data.path, store, options)
                                                : keep_folder(data.path, store, options);
}

}  // namespace trainyard
