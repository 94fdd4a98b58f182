// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/capture.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

// Below this a second thread costs more than it brings.
constexpr std::size_t kFewFiles = 24;
constexpr std::uint64_t kFewBytes = std::uint64_t{4} << 20U;
// Cold small files are latency, so there are more readers than cores.
constexpr unsigned kMostThreads = 16;

struct Found {
  TreeEntry entry;
  FileStamp stamp;
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a fifo";
  return "a device";
}

class Walk {
 public:
  Walk(const Path& root, const std::function<bool(const RelPath&)>& wanted) : root_(root), wanted_(wanted) {}

  Result<void> folder(UniqueFd fd, const std::string& prefix, std::size_t depth) {
    if (depth > limits::kFolderDepth)
      return fail(Errc::invalid, "'" + (root_ / prefix).string() + "' lies too deep: more than 512 folders");
    const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
    if (!folder) return system_error("read the folder", root_ / prefix, errno);
    const int here = fd.release();
    bool empty = true;
    for (;;) {
      errno = 0;
      const dirent* const item = ::readdir(folder.get());
      if (item == nullptr) break;
      if (std::strcmp(item->d_name, ".") == 0 || std::strcmp(item->d_name, "..") == 0) continue;
      const RelPath path = TRY(RelPath::parse(prefix.empty() ? item->d_name : prefix + "/" + item->d_name));
      if (wanted_ && !wanted_(path)) continue;
      empty = false;
      TRY(entry(here, item->d_name, path, depth));
    }
    if (errno != 0) return system_error("read the folder", root_ / prefix, errno);
    if (empty && !prefix.empty())
      found_.push_back({{TRY(RelPath::parse(prefix)), TreeEntry::Kind::empty_folder, 0, false, {}}, {}});
    return {};
  }

  std::vector<Found> take() && { return std::move(found_); }

 private:
  Result<void> entry(int above, const char* name, const RelPath& path, std::size_t depth) {
    const Path shown = root_ / path.bytes();
    struct stat status {};
    if (::fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return fail(Errc::invalid, "'" + shown.string() + "' vanished while its folder was read");
      return system_error("look at", shown, errno);
    }
    if (S_ISDIR(status.st_mode)) {
      return folder(TRY(open_at(above, name, O_RDONLY | O_DIRECTORY, shown)), path.bytes(), depth + 1);
    }
    if (!S_ISREG(status.st_mode)) {
      return fail(Errc::invalid, "'" + shown.string() + "' is " + kind_of(status.st_mode) +
                                     "; only regular files and folders can be kept");
    }
    const bool executable = (status.st_mode & S_IXUSR) != 0;
    found_.push_back({{path, TreeEntry::Kind::file, static_cast<std::uint64_t>(status.st_size), executable, {}},
                      FileStamp::of(status)});
    return {};
  }

  const Path& root_;
  const std::function<bool(const RelPath&)>& wanted_;
  std::vector<Found> found_;
};

Result<std::vector<Found>> walk(const Path& root, const UniqueFd& fd,
                                const std::function<bool(const RelPath&)>& wanted) {
  Walk walk(root, wanted);
  TRY(walk.folder(TRY(open_at(fd.get(), ".", O_RDONLY | O_DIRECTORY, root)), "", 0));
  auto found = std::move(walk).take();
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.entry.path < b.entry.path; });
  return found;
}

// Opens root/a/b/c step by step, so that no folder on the way can be a link.
Result<UniqueFd> open_below(const UniqueFd& root, const RelPath& path, const Path& shown) {
  UniqueFd above;
  const std::string& bytes = path.bytes();
  for (std::size_t begin = 0;;) {
    const std::size_t end = bytes.find('/', begin);
    const std::string name = bytes.substr(begin, end == std::string::npos ? end : end - begin);
    const int flags = end == std::string::npos ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
    UniqueFd fd = TRY(open_at(above ? above.get() : root.get(), name.c_str(), flags, shown));
    if (end == std::string::npos) return fd;
    above = std::move(fd);
    begin = end + 1;
  }
}

Result<void> read_one(const Path& root, const UniqueFd& root_fd, Found& found, ObjectStore* objects) {
  const Path shown = root / found.entry.path.bytes();
  const Error changed = fail(Errc::invalid, "'" + shown.string() + "' changed while it was read");
  auto fd = open_below(root_fd, found.entry.path, shown);
  if (!fd.ok()) return fd.error().code == Errc::not_found ? changed : fd.error();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return system_error("look at", shown, errno);
  if (FileStamp::of(status) != found.stamp) return changed;
  const auto stored = objects != nullptr ? objects->put_file(fd->get(), shown) : hash_file(fd->get(), shown);
  if (!stored.ok()) return stored.error();
  if (::fstat(fd->get(), &status) != 0) return system_error("look at", shown, errno);
  if (FileStamp::of(status) != found.stamp || stored->bytes != found.entry.size) return changed;
  found.entry.digest = stored->digest;
  return {};
}

// Hands the files out to threads; the first error ends all of them.
class Readers {
 public:
  Readers(const Path& root, const UniqueFd& root_fd, std::vector<Found>& found, const CaptureOptions& options)
      : root_(root), root_fd_(root_fd), found_(found), options_(options) {
    for (const Found& item : found_) {
      total_.files += item.entry.kind == TreeEntry::Kind::file ? 1U : 0U;
      total_.bytes += item.entry.size;
    }
  }

  Result<void> run() {
    unsigned threads = options_.threads != 0 ? options_.threads : kMostThreads;
    if (options_.threads == 0 && (total_.files < kFewFiles && total_.bytes < kFewBytes)) threads = 1;
    threads = static_cast<unsigned>(std::clamp<std::uint64_t>(total_.files, 1, threads));
    {
      std::vector<std::jthread> others;
      for (unsigned i = 1; i < threads; ++i) others.emplace_back([this] { work(Thread::other); });
      work(Thread::calling);
    }
    if (error_) return *error_;
    return {};
  }

 private:
  enum class Thread { calling, other };

  void work(Thread thread) {
    for (std::size_t i = next_++; i < found_.size() && !failed_; i = next_++) {
      Found& item = found_[i];
      if (item.entry.kind != TreeEntry::Kind::file) continue;
      if (auto read = read_one(root_, root_fd_, item, options_.objects); !read.ok()) end_with(std::move(read).error());
      ++files_done_;
      bytes_done_ += item.entry.size;
      if (thread == Thread::other) continue;
      if (options_.progress) options_.progress({files_done_, total_.files, bytes_done_, total_.bytes});
      if (options_.cancelled && options_.cancelled()) end_with(fail(Errc::cancelled, "stopped by a user"));
    }
  }

  void end_with(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }

  const Path& root_;
  const UniqueFd& root_fd_;
  std::vector<Found>& found_;
  const CaptureOptions& options_;
  CaptureProgress total_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> files_done_{0};
  std::atomic<std::uint64_t> bytes_done_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_ while threads run
};

}  // namespace

FileStamp FileStamp::of(const struct stat& status) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec};
}

Result<CapturedFolder> capture(const Path& folder, const CaptureOptions& options) {
  const UniqueFd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  auto found = TRY(walk(folder, fd, options.wanted));
  TRY(Readers(folder, fd, found, options).run());
  CapturedFolder captured;
  std::vector<TreeEntry> entries;
  entries.reserve(found.size());
  captured.stamps.reserve(found.size());
  for (Found& item : found) {
    entries.push_back(std::move(item.entry));
    captured.stamps.push_back(item.stamp);
  }
  captured.tree = TRY(Tree::of(std::move(entries)));
  return captured;
}

Result<std::optional<std::string>> change_since(const Path& folder, const CapturedFolder& captured) {
  const UniqueFd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  const auto now = TRY(walk(folder, fd, {}));
  const auto& before = captured.tree.entries();
  const auto shown = [&](const RelPath& path) { return "'" + (folder / path.bytes()).string() + "'"; };
  for (std::size_t i = 0; i < std::max(now.size(), before.size()); ++i) {
    if (i == before.size() || (i < now.size() && now[i].entry.path < before[i].path)) {
      return std::optional(shown(now[i].entry.path) + " was added");
    }
    if (i == now.size() || before[i].path < now[i].entry.path)
      return std::optional(shown(before[i].path) + " was removed");
    const bool same_kind = now[i].entry.kind == before[i].kind && now[i].entry.executable == before[i].executable;
    if (!same_kind || now[i].stamp != captured.stamps[i]) return std::optional(shown(before[i].path) + " was changed");
  }
  return std::optional<std::string>();
}

Result<TreeSummary> store_tree(const Tree& tree, ObjectStore& objects) {
  const Digest digest = TRY(objects.put(tree.canonical()));
  return TreeSummary{digest, tree.files(), tree.bytes()};
}

Result<Tree> load_tree(const Digest& digest, ObjectStore& objects) {
  auto tree = Tree::from_canonical(TRY(objects.read(digest, limits::kTreeBytes)));
  if (!tree.ok()) return fail(Errc::corrupt, "the object " + digest.hex() + " is not a tree: " + tree.error().message);
  return tree;
}

}  // namespace trainyard
