// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/data_shares.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "runner/mounts/mount_choice.hpp"

namespace trainyard {

namespace {

// Makes the folder of a file, unless it is that of the file before.
class FoldersBelow {
 public:
  explicit FoldersBelow(Path root) : root_(std::move(root)) {}

  Result<void> make(std::string_view folder) {
    if (folder.empty() || folder == last_) return {};
    TRY(make_folders(root_ / std::string(folder)));
    last_ = folder;
    return {};
  }

 private:
  Path root_;
  std::string last_;
};

std::string path_of(const Tree::View& entry) {
  return entry.folder.empty() ? std::string(entry.name) : std::string(entry.folder) + "/" + std::string(entry.name);
}

// A file of an overlay's layer that hides one of the folder below it. All of them are one file with many names, as the
// kernel makes them, so that a large dataset does not take as many inodes again.
class Whiteouts {
 public:
  Result<void> put(const Path& path) {
    if (!last_.empty() && ::link(last_.c_str(), path.c_str()) == 0) return {};
    if (::mknod(path.c_str(), S_IFCHR, ::makedev(0, 0)) != 0) return system_error("hide", path, errno);
    last_ = path;
    return {};
  }

 private:
  Path last_;
};

// The files by the rank of the worker that sees them, in the order of their paths.
Result<void> for_each_file(const Tree& content, std::size_t workers,
                           const std::function<Result<void>(const Tree::View& file, std::size_t rank)>& what) {
  std::size_t place = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const Tree::View entry = content.view(i);
    if (entry.kind != TreeEntry::Kind::file) continue;
    TRY(what(entry, place++ % workers));
  }
  return {};
}

Result<void> hide_others(const std::vector<MountedDataset>& mounted, const Tree& content) {
  for (std::size_t rank = 0; rank < mounted.size(); ++rank) {
    const Path upper = mounted[rank].overlay->upper;
    FoldersBelow folders(upper);
    Whiteouts whiteouts;
    TRY(for_each_file(content, mounted.size(), [&](const Tree::View& file, std::size_t owner) -> Result<void> {
      if (owner == rank) return {};
      TRY(folders.make(file.folder));
      return whiteouts.put(upper / path_of(file));
    }));
  }
  return {};
}

Result<void> deal_out(const Tree& content, const std::vector<SharePlace>& places) {
  std::vector<FoldersBelow> folders;
  for (const SharePlace& place : places) folders.emplace_back(place.target);
  for (std::size_t i = 0; i < content.size(); ++i) {
    const Tree::View entry = content.view(i);
    const bool folder = entry.kind == TreeEntry::Kind::empty_folder;
    const std::string path = path_of(entry);
    for (std::size_t rank = 1; rank < places.size(); ++rank) TRY(folders[rank].make(folder ? path : entry.folder));
  }
  return for_each_file(content, places.size(), [&](const Tree::View& file, std::size_t owner) -> Result<void> {
    const std::string path = path_of(file);
    if (owner == 0) return {};
    return rename_path(places.front().target / path, places[owner].target / path);
  });
}

}  // namespace

Result<std::vector<MountedDataset>> share_out(const MountedDataset& whole, const Tree& content, DataSharding sharding,
                                              const std::vector<SharePlace>& places) {
  std::vector<MountedDataset> mounted = {whole};
  const bool by_file = sharding == DataSharding::by_file;
  for (std::size_t rank = 1; rank < places.size(); ++rank) {
    const SharePlace& place = places[rank];
    if (whole.overlay || !by_file) {
      auto one = TRY(make_mount(whole.kind)->prepare(whole.visible, place.target, place.layer));
      mounted.push_back(std::move(one));
    } else {
      mounted.push_back({whole.kind, place.target, std::nullopt});
    }
  }
  if (by_file) TRY(whole.overlay ? hide_others(mounted, content) : deal_out(content, places));
  return mounted;
}

std::string why_no_whiteouts(const Path& layer) {
  const Path tried = layer / "whiteout";
  const auto made = Whiteouts().put(tried);
  if (!made.ok()) return made.error().message;
  const auto removed = remove_file(tried);
  return removed.ok() ? "" : removed.error().message;
}

}  // namespace trainyard
