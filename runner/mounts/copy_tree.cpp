// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/copy_tree.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "storage/trees/folder_writer.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

Error changed(const Path& path) {
  return fail(Errc::invalid, "'" + path.string() + "' changed while it was being copied");
}

bool same_state(const struct stat& one, const struct stat& other) {
  const auto same_time = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino && one.st_size == other.st_size &&
         one.st_mode == other.st_mode && same_time(one.st_mtim, other.st_mtim) && same_time(one.st_ctim, other.st_ctim);
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a fifo";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Result<struct stat> state_of(int fd, const Path& shown) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("look at", shown, errno);
  return status;
}

Result<std::vector<std::string>> names_in(DIR* folder, const Path& shown) {
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return system_error("read the folder", shown, errno);
  std::sort(names.begin(), names.end());
  return names;
}

class TreeCopier {
 public:
  TreeCopier(FolderWriter writer, const CopyContent& copy_content)
      : writer_(std::move(writer)), copy_content_(copy_content) {}

  // Copies what is in the open folder `fd`. `below` is its path relative to the root: empty, or ending with '/'.
  Result<void> copy_folder(UniqueFd fd, const Path& shown, const std::string& below, std::size_t depth) {
    if (depth > limits::kFolderDepth) {
      return fail(Errc::invalid,
                  "'" + shown.string() + "' is deeper than " + std::to_string(limits::kFolderDepth) + " folders");
    }
    const struct stat before = TRY(state_of(fd.get(), shown));
    const OpenFolder folder(::fdopendir(fd.get()));
    if (!folder) return system_error("read the folder", shown, errno);
    static_cast<void>(fd.release());  // the open folder owns it now
    for (const std::string& name : TRY(names_in(folder.get(), shown))) {
      TRY(copy_entry(::dirfd(folder.get()), name, shown / name, below + name, depth));
    }
    if (!same_state(before, TRY(state_of(::dirfd(folder.get()), shown)))) return changed(shown);
    return {};
  }

 private:
  Result<void> copy_entry(int above, const std::string& name, const Path& shown, const std::string& below,
                          std::size_t depth) {
    const RelPath path = TRY(RelPath::parse(below));
    // Looked at before it is opened: opening a device can have effects.
    struct stat listed {};
    if (::fstatat(above, name.c_str(), &listed, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno == ENOENT ? changed(shown) : system_error("look at", shown, errno);
    }
    if (!S_ISREG(listed.st_mode) && !S_ISDIR(listed.st_mode)) {
      return fail(Errc::invalid, "'" + shown.string() + "' is " + kind_of(listed.st_mode) +
                                     "; a dataset can hold only files and folders");
    }
    UniqueFd fd = TRY(open_at(above, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, shown));
    const struct stat opened = TRY(state_of(fd.get(), shown));
    if (!same_state(listed, opened)) return changed(shown);
    if (S_ISREG(listed.st_mode)) return copy_file(fd.get(), opened, shown, path);
    TRY(writer_.create_folder(path));
    return copy_folder(std::move(fd), shown, below + "/", depth + 1);
  }

  Result<void> copy_file(int from, const struct stat& before, const Path& shown, const RelPath& path) {
    const UniqueFd to = TRY(writer_.create_file(path, (before.st_mode & S_IXUSR) != 0));
    const Path copy = writer_.root() / path.bytes();
    TRY(copy_content_(from, shown, to.get(), copy));
    const struct stat after = TRY(state_of(from, shown));
    const struct stat copied = TRY(state_of(to.get(), copy));
    if (!same_state(before, after) || copied.st_size != before.st_size) return changed(shown);
    return {};
  }

  FolderWriter writer_;
  const CopyContent& copy_content_;
};

}  // namespace

Result<void> copy_tree(const Path& from, const Path& to, const CopyContent& copy_content) {
  UniqueFd root = TRY(open_file(from, O_RDONLY | O_DIRECTORY));
  return TreeCopier(TRY(FolderWriter::at(to)), copy_content).copy_folder(std::move(root), from, "", 0);
}

}  // namespace trainyard
