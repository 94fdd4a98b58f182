// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/key_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace trainyard {

namespace {

constexpr char kScratch[] = "tmp";
constexpr std::size_t kMostFreshPrefix = 150;  // leaves room for the rest of a name
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_outage(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case ESTALE:
    case ENOTCONN:
    case ETIMEDOUT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENODEV: return true;
    default: return false;
  }
}

std::string host_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') return "host";
  std::string name(host.data());
  name.resize(std::min<std::size_t>(name.size(), 32));
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    if (!plain) c = '-';
  }
  return name;
}

// A request of NFS may be sent twice because the first reply was lost, and the second is told that the name exists.
// Whether it is ours is seen by the file itself (open(2), O_EXCL).
bool is_same_file(int fd, const KeyPlace& place) {
  struct stat mine {};
  struct stat there {};
  return ::fstat(fd, &mine) == 0 &&
         ::fstatat(place.folder.get(), place.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

}  // namespace

Error KeyFolder::error(std::string_view action, const Path& shown, int error_number) const {
  if (error_number == ENOSPC || error_number == EDQUOT)
    return fail(Errc::unavailable, "cannot " + std::string(action) + " '" + shown.string() +
                                       "': no room is left for it on the disk of " + text() +
                                       "; make room there and try again");
  if (error_number == ELOOP || error_number == ENOTDIR)
    return fail(Errc::corrupt, "cannot " + std::string(action) + " '" + shown.string() +
                                   "': a link or a file is in the place of a folder or file of the remote " + text() +
                                   ", which follows no links; look who put it there");
  Error error = system_error(action, shown, error_number);
  if (is_outage(error_number)) error.code = Errc::unavailable;
  return error;
}

Result<UniqueFd> KeyFolder::open() const {
  UniqueFd fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == ENOENT)
    return fail(Errc::unavailable, "the folder of the remote " + text() + " is not there; is its disk mounted?");
  if (!fd) return error("open", root_, errno);
  if (mark_ == Mark::not_yet) return fd;
  struct stat status {};
  if (::fstatat(fd.get(), kRemoteFileName, &status, AT_SYMLINK_NOFOLLOW) == 0) return fd;
  if (errno != ENOENT) return error("look at", root_ / kRemoteFileName, errno);
  return fail(Errc::not_found, "the folder of the remote " + text() + " holds no '" + kRemoteFileName +
                                   "', so it is no remote of Trainyard, or its disk is not mounted; mount the disk, or "
                                   "add the remote anew if the folder is the right one");
}

Result<std::optional<UniqueFd>> KeyFolder::below(UniqueFd root, std::string_view key, Missing folders) const {
  UniqueFd folder = std::move(root);
  Path shown = root_;
  while (!key.empty()) {
    const std::size_t end = std::min(key.find('/'), key.size());
    const std::string part(key.substr(0, end));
    key.remove_prefix(std::min(end + 1, key.size()));
    shown /= part;
    UniqueFd next(::openat(folder.get(), part.c_str(), kFolderFlags));
    if (!next && errno == ENOENT) {
      if (folders == Missing::leave) return std::optional<UniqueFd>();
      if (::mkdirat(folder.get(), part.c_str(), 0777) != 0 && errno != EEXIST)
        return error("create the folder", shown, errno);
      if (::fsync(folder.get()) != 0) return error("sync", shown.parent_path(), errno);
      next = UniqueFd(::openat(folder.get(), part.c_str(), kFolderFlags));
    }
    if (!next) return error("open the folder", shown, errno);
    folder = std::move(next);
  }
  return std::optional(std::move(folder));
}

Result<std::optional<UniqueFd>> KeyFolder::folder(const std::string& key, Missing folders) const {
  return below(TRY(open()), key, folders);
}

Result<std::optional<KeyPlace>> KeyFolder::place(const std::string& key, Missing folders) const {
  const std::size_t slash = key.rfind('/');
  const std::string above = slash == std::string::npos ? "" : key.substr(0, slash);
  std::optional<UniqueFd> folder = TRY(this->folder(above, folders));
  if (!folder) return std::optional<KeyPlace>();
  return std::optional(
      KeyPlace{std::move(*folder), slash == std::string::npos ? key : key.substr(slash + 1), root_ / key});
}

Result<std::optional<UniqueFd>> KeyFolder::open_file(const KeyPlace& place) const {
  // Without O_NONBLOCK a planted fifo would hold us.
  UniqueFd fd(::openat(place.folder.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::optional<UniqueFd>();
  if (!fd) return error("open", place.shown, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return error("look at", place.shown, errno);
  if (!S_ISREG(status.st_mode))
    return fail(Errc::corrupt, "'" + place.shown.string() + "' is no file, but a file belongs there in " + text());
  return std::optional(std::move(fd));
}

Result<FreshFile> FreshFile::make(const KeyFolder& at, const std::string& key) {
  const Path folder = at.root() / kScratch;
  std::optional<UniqueFd> scratch = TRY(at.folder(kScratch, KeyFolder::Missing::make));
  std::string name = fresh_prefix(key) + "+" + host_name() + "+" + scratch_name("", "file").string();
  Path shown = folder / name;
  // 0444 less what the umask takes; who creates a file may write it all the same.
  UniqueFd fd(::openat(scratch->get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (!fd) return at.error("create", shown, errno);
  return FreshFile(at, std::move(*scratch), std::move(fd), std::move(name), std::move(shown));
}

FreshFile::~FreshFile() {
  if (folder_) static_cast<void>(::unlinkat(folder_.get(), name_.c_str(), 0));
}

Result<void> FreshFile::name_once(const KeyPlace& place) {
  int failed = ::linkat(folder_.get(), name_.c_str(), place.folder.get(), place.name.c_str(), 0) == 0 ? 0 : errno;
  // Some file systems have no links.
  if (failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS) {
    const bool renamed =
        ::renameat2(folder_.get(), name_.c_str(), place.folder.get(), place.name.c_str(), RENAME_NOREPLACE) == 0;
    failed = renamed ? 0 : errno;
    if (failed == EINVAL || failed == ENOSYS)
      return fail(Errc::incompatible, "the file system of " + at_->text() +
                                          " can neither link a file nor rename it without replacing another, so two "
                                          "publishers could overwrite each other there");
  }
  if (failed != 0 && !is_same_file(fd_.get(), place)) {
    if (failed == ENOENT)
      return fail(Errc::unavailable,
                  "'" + shown_.string() + "' was removed while it was being written, as garbage; try again");
    return at_->error("create", place.shown, failed);
  }
  if (::fsync(place.folder.get()) != 0) return at_->error("sync", place.shown.parent_path(), errno);
  return {};
}

Result<void> FreshFile::name_over(const KeyPlace& place) {
  const int failed = ::renameat(folder_.get(), name_.c_str(), place.folder.get(), place.name.c_str()) == 0 ? 0 : errno;
  if (failed != 0 && !is_same_file(fd_.get(), place)) return at_->error("replace", place.shown, failed);
  if (::fsync(place.folder.get()) != 0) return at_->error("sync", place.shown.parent_path(), errno);
  return {};
}

std::string fresh_prefix(std::string_view key_prefix) {
  std::string name(key_prefix.substr(0, kMostFreshPrefix));
  std::replace(name.begin(), name.end(), '/', '+');
  return name;
}

// Nothing else has a '+' in its name, which no key has.
bool is_fresh_name(std::string_view name) { return name.find('+') != std::string_view::npos; }

}  // namespace trainyard
